//! What one process knows of the files in its bucket.

use std::collections::HashMap;

use crate::queue::spool::{Caps, FileName, excess};

/// The files of a bucket as they were last listed, with what this process has changed since.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Oldest first.
    known: Vec<FileName>,
    /// Those that this process has counted, written by it or taken over from an earlier run, and how many events it
    /// has counted of each.
    own: HashMap<FileName, u64>,
    /// Those whose events are in the request under way, or on their way into it.
    under_way: Vec<InHand>,
    /// Whether this process leaves the files to the next: no more of them are begun.
    is_left: bool,
    /// Whether the directory was ever looked at.
    is_listed: bool,
}

/// A file whose events are in the request under way, and how many of them are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InHand {
    pub(super) name: FileName,
    pub(super) events: u64,
}

/// Files that may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) events: u64,
    /// Whether one of them is of another process.
    pub(super) has_older: bool,
}

impl Files {
    /// Takes over what a look at the directory has shown.
    pub(super) fn replace(&mut self, mut known: Vec<FileName>) {
        known.sort_unstable();
        (self.known, self.is_listed) = (known, true);
    }

    /// Returns whether the directory was looked at.
    pub(super) fn is_listed(&self) -> bool {
        self.is_listed
    }

    /// Adds a file that this process has written.
    pub(super) fn add_own(&mut self, name: FileName) {
        self.own.insert(name.with_tries(0), name.events.into());
        self.add(name);
    }

    fn add(&mut self, name: FileName) {
        let at = self.known.partition_point(|known| *known < name);
        // A look may have found it before its writer could tell.
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

    /// Notes the new name of a file.
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

    /// Returns whether nothing is known to be there.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Returns what may be sent.
    pub(super) fn waiting(&self, may_send: impl Fn(&FileName) -> bool) -> Waiting {
        self.known.iter().filter(|name| may_send(name)).fold(Waiting::default(), |waiting, name| Waiting {
            events: waiting.events + u64::from(name.events),
            has_older: waiting.has_older || !self.is_own(*name),
        })
    }

    /// Returns the files to be sent next: the oldest, or those after `cursor`, which has just failed.
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

    /// Returns the files over the caps, oldest first; never one that is under way.
    pub(super) fn excess(&self, caps: &Caps) -> Vec<FileName> {
        let count = excess(&self.known, caps);
        let oldest = self.known.iter().take(count).copied();
        oldest.filter(|name| !self.under_way.iter().any(|busy| busy.name.is_same_file(*name))).collect()
    }

    /// Returns when the oldest file was written.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.known.first().map(|name| name.created)
    }

    /// Returns whether files may be begun: not once they are left to the next process.
    pub(super) fn may_begin(&self) -> bool {
        !self.is_left
    }

    /// Notes the new name of a file that goes into the request under way; its events are not known yet.
    pub(super) fn begin(&mut self, name: FileName) {
        self.rename(name);
        self.under_way.push(InHand { name, events: 0 });
    }

    /// Returns whether a file was begun and is still in the hand of this process.
    pub(super) fn is_begun(&self, name: FileName) -> bool {
        self.under_way.iter().any(|busy| busy.name == name)
    }

    /// Notes how many events of a file are in the request under way. Returns how many this process had counted before.
    pub(super) fn count(&mut self, name: FileName, events: u64) -> Option<u64> {
        if let Some(busy) = self.under_way.iter_mut().find(|busy| busy.name == name) {
            busy.events = events;
        }
        self.own.insert(name.with_tries(0), events)
    }

    /// Takes a file out of the request under way, since it has nothing to send.
    pub(super) fn drop_begun(&mut self, name: FileName) {
        self.under_way.retain(|busy| busy.name != name);
    }

    /// Leaves all files to the next process, and takes out those in the request under way.
    pub(super) fn leave(&mut self) -> Vec<InHand> {
        self.is_left = true;
        self.end()
    }

    /// Takes out which files were in the request under way. Only one caller gets them: the worker that has an answer,
    /// or the thread that ends the process without waiting for one.
    pub(super) fn end(&mut self) -> Vec<InHand> {
        std::mem::take(&mut self.under_way)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
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
    fn the_files_after_a_failure_come_before_those_that_failed() {
        let (files, names) = files([1, 2, 3]);
        assert_eq!(files.next(None, |_| true), names);
        assert_eq!(files.next(Some(names[0].with_tries(5)), |_| true), names[1..]);
        assert_eq!(files.next(Some(names[2]), |_| true), names);
        assert_eq!(files.next(None, |name| name.created == 2), [names[1]]);
    }

    #[test]
    fn a_file_under_way_is_not_evicted() {
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
    fn what_is_left_while_it_is_read_is_given_back_once() {
        let (mut files, names) = files([1, 2]);
        files.begin(names[0].with_tries(1));
        assert_eq!(files.leave(), [InHand { name: names[0].with_tries(1), events: 0 }]);
        assert!(!files.is_begun(names[0].with_tries(1)), "it is no longer ours");
        assert!(!files.may_begin() && files.end().is_empty());
    }

    #[test]
    fn what_an_earlier_run_left_is_told_from_our_own() {
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
