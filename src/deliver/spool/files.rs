//! The files of a bucket, as far as this process knows them.

use std::collections::HashMap;

use crate::queue::spool::{Caps, FileName, excess};

/// The files of a bucket as they were last listed, with what this process has changed since.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Oldest first.
    known: Vec<FileName>,
    /// The files that this process has counted, whether it wrote them or took them over from an earlier run, each with
    /// the number of events counted.
    own: HashMap<FileName, u64>,
    /// The files whose events are in the current request, or are being read for it.
    under_way: Vec<InHand>,
    /// Whether this process leaves the files to the next one, and begins no more of them.
    is_left: bool,
    /// Whether the directory has been listed.
    is_listed: bool,
}

/// A file in the current request, with the number of its events there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InHand {
    pub(super) name: FileName,
    pub(super) events: u64,
}

/// Files that may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) events: u64,
    /// Whether one of them was written by another process.
    pub(super) has_older: bool,
}

impl Files {
    /// Replaces the known files with a new listing of the directory.
    pub(super) fn replace(&mut self, mut known: Vec<FileName>) {
        known.sort_unstable();
        (self.known, self.is_listed) = (known, true);
    }

    /// Returns whether the directory has been listed.
    pub(super) fn is_listed(&self) -> bool {
        self.is_listed
    }

    /// Records that this process is about to write a file with this name.
    pub(super) fn announce(&mut self, name: FileName) {
        self.own.insert(name.with_tries(0), name.events.into());
    }

    /// Adds a file that this process has written.
    pub(super) fn add_own(&mut self, name: FileName) {
        self.own.insert(name.with_tries(0), name.events.into());
        self.add(name);
    }

    fn add(&mut self, name: FileName) {
        let at = self.known.partition_point(|known| *known < name);
        // A listing may have found it before its writer adds it.
        if self.known.get(at).is_none_or(|known| !known.is_same_file(name)) {
            self.known.insert(at, name);
        }
    }

    /// Forgets a file.
    pub(super) fn remove(&mut self, name: FileName) {
        let at = self.known.partition_point(|known| known.with_tries(0) < name.with_tries(0));
        if self.known.get(at).is_some_and(|known| known.is_same_file(name)) {
            self.known.remove(at);
        }
        self.own.remove(&name.with_tries(0));
    }

    /// Records the new name of a file.
    pub(super) fn rename(&mut self, name: FileName) {
        let at = self.known.partition_point(|known| known.with_tries(0) < name.with_tries(0));
        if let Some(known) = self.known.get_mut(at).filter(|known| known.is_same_file(name)) {
            *known = name;
        }
    }

    /// Returns whether this process has counted the events of a file.
    pub(super) fn is_own(&self, name: FileName) -> bool {
        self.own.contains_key(&name.with_tries(0))
    }

    /// Returns whether no files are known.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Returns the files that may be sent.
    pub(super) fn waiting(&self, may_send: impl Fn(&FileName) -> bool) -> Waiting {
        self.known.iter().filter(|name| may_send(name)).fold(Waiting::default(), |waiting, name| Waiting {
            events: waiting.events + u64::from(name.events),
            has_older: waiting.has_older || !self.is_own(*name),
        })
    }

    /// Returns the files to send next: from the oldest on, or from after `cursor`, which has just failed.
    pub(super) fn next(
        &self,
        cursor: Option<FileName>,
        may_send: impl Fn(&FileName) -> bool,
    ) -> Vec<FileName> {
        let names: Vec<_> = self.known.iter().copied().filter(may_send).collect();
        let start = cursor
            .map_or(0, |cursor| names.partition_point(|name| name.with_tries(0) <= cursor.with_tries(0)));
        let (before, after) = names.split_at(start.min(names.len()));
        if after.is_empty() { before.to_vec() } else { after.to_vec() }
    }

    /// Returns the files over the caps, oldest first, without those in the current request.
    pub(super) fn excess(&self, caps: &Caps) -> Vec<FileName> {
        let count = excess(&self.known, caps);
        let oldest = self.known.iter().take(count).copied();
        oldest.filter(|name| !self.under_way.iter().any(|busy| busy.name.is_same_file(*name))).collect()
    }

    /// Returns when the oldest file was written.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.known.first().map(|name| name.created)
    }

    /// Returns whether files may be begun, which ends once they are left to the next process.
    pub(super) fn may_begin(&self) -> bool {
        !self.is_left
    }

    /// Records the new name of a file that is read for the current request; its events are not counted yet.
    pub(super) fn begin(&mut self, name: FileName) {
        self.rename(name);
        self.under_way.push(InHand { name, events: 0 });
    }

    /// Returns whether a file was begun and has not been given back.
    pub(super) fn is_begun(&self, name: FileName) -> bool {
        self.under_way.iter().any(|busy| busy.name == name)
    }

    /// Records how many events of a file are in the current request. Returns how many were counted before.
    pub(super) fn count(&mut self, name: FileName, events: u64) -> Option<u64> {
        if let Some(busy) = self.under_way.iter_mut().find(|busy| busy.name == name) {
            busy.events = events;
        }
        self.own.insert(name.with_tries(0), events)
    }

    /// Removes a file from the current request, since it has nothing to send.
    pub(super) fn drop_begun(&mut self, name: FileName) {
        self.under_way.retain(|busy| busy.name != name);
    }

    /// Leaves all files to the next process, and returns those in the current request.
    pub(super) fn leave(&mut self) -> Vec<InHand> {
        self.is_left = true;
        self.end()
    }

    /// Ends the current request and returns its files. Only one caller gets them: the worker with a response, or the
    /// thread that ends the process without waiting for it.
    pub(super) fn end(&mut self) -> Vec<InHand> {
        std::mem::take(&mut self.under_way)
    }

    /// Forgets all files but those whose events are in the current request: their fate is not known yet.
    pub(super) fn forget(&mut self) {
        let mut under_way = self.end();
        under_way.retain(|file| file.events > 0);
        *self = Self { under_way, is_left: self.is_left, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(created: impl IntoIterator<Item = u64>) -> (Files, Vec<FileName>) {
        let names: Vec<_> = created.into_iter().map(|at| FileName::new(at, 1, 1)).collect();
        let mut files = Files::default();
        files.replace(names.clone());
        (files, names)
    }

    #[test]
    fn files_after_a_failed_one_are_sent_before_it() {
        let (files, names) = files([1, 2, 3]);
        assert_eq!(files.next(None, |_| true), names);
        assert_eq!(files.next(Some(names[0].with_tries(5)), |_| true), names[1..]);
        assert_eq!(files.next(Some(names[2]), |_| true), names);
        assert_eq!(files.next(None, |name| name.created == 2), [names[1]]);
    }

    #[test]
    fn a_file_in_the_current_request_is_not_evicted() {
        let (mut files, names) = files(0..20);
        let caps = Caps { files: 10, events: 100, bytes: 100, age: u64::MAX };
        let busy = InHand { name: names[0].with_tries(1), events: 1 };
        files.begin(busy.name);
        assert_eq!(files.count(busy.name, 1), None);
        let excess = files.excess(&caps);
        assert_eq!(excess, names[1..11]);
        assert_eq!(files.end(), [busy]);
        assert!(files.end().is_empty());
    }

    #[test]
    fn a_file_left_while_it_is_read_is_given_back_once() {
        let (mut files, names) = files([1, 2]);
        files.begin(names[0].with_tries(1));
        assert_eq!(files.leave(), [InHand { name: names[0].with_tries(1), events: 0 }]);
        assert!(!files.is_begun(names[0].with_tries(1)), "it is no longer ours");
        assert!(!files.may_begin() && files.end().is_empty());
    }

    #[test]
    fn a_request_outlives_the_files_that_are_removed() {
        let (mut files, names) = files([1, 2, 3]);
        files.begin(names[0].with_tries(1));
        files.count(names[0].with_tries(1), 1);
        files.begin(names[1].with_tries(1));
        files.forget();
        assert!(files.is_empty() && !files.is_begun(names[1].with_tries(1)), "it was still being read");
        assert_eq!(files.end(), [InHand { name: names[0].with_tries(1), events: 1 }]);
    }

    #[test]
    fn files_of_an_earlier_run_are_distinguished_from_our_own() {
        let (mut files, names) = files([1]);
        assert!(files.waiting(|_| true).has_older);
        files.begin(names[0]);
        assert_eq!(files.count(names[0], 1), None);
        assert_eq!(files.count(names[0].with_tries(3), 1), Some(1), "counted once it was taken over");
        files.remove(names[0]);
        files.add_own(FileName::new(5, 7, 1));
        assert_eq!(files.waiting(|_| true), Waiting { events: 7, has_older: false });
    }
}
