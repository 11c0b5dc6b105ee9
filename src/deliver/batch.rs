//! A batch: encoded events that travel together, with the same bytes on every attempt.

use std::time::Instant;

use uuid::Uuid;

use super::halving::Part;
use crate::event::{CommonProperties, EncodedEvent};
use crate::queue::{Backlog, Queue, QueueDepth};
use crate::timestamp::Rfc3339;
use crate::wire::{Attempt, BatchInfo, Envelope, EnvelopeLimits, Ids, WireEvent};

/// Encoded events, ready to be sent and sent again.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The envelope's beginning, the events with commas between, and during an attempt its end.
    body: Vec<u8>,
    head: usize,
    /// How many bytes the end takes that each attempt adds.
    tail: usize,
    ends: Vec<usize>,
    ids: Vec<Uuid>,
    pub(crate) info: BatchInfo,
    pub(crate) generation: u32,
    pub(crate) attempts: u32,
    pub(crate) part: Part,
    /// Whether the last attempt has not even reached the endpoint.
    pub(crate) was_never_sent: bool,
    /// Attempts that ended with an answer which is not readable HTTP.
    pub(crate) bad_responses: u32,
    pub(crate) born: Instant,
    /// The place of the first event in the order of capture, for `flush`.
    pub(crate) first: u64,
}

impl Batch {
    /// Starts an empty batch; `spare` is memory to use again.
    pub(crate) fn new(
        envelope: &dyn Envelope,
        info: BatchInfo,
        generation: u32,
        born: Instant,
        first: u64,
        mut recycled: Vec<u8>,
    ) -> Self {
        recycled.clear();
        envelope.begin(&info, &mut recycled);
        let head = recycled.len();
        envelope.end(&info, Attempt { number: 1, at: info.created_at }, &mut recycled);
        let tail = recycled.len() - head;
        recycled.truncate(head);
        Self {
            body: recycled,
            head,
            tail,
            ends: Vec::new(),
            ids: Vec::new(),
            info,
            generation,
            attempts: 0,
            part: Part::Whole,
            was_never_sent: false,
            bad_responses: 0,
            born,
            first,
        }
    }

    /// Appends one encoded event.
    fn push(&mut self, envelope: &dyn Envelope, event: &WireEvent<'_>, id: Uuid) {
        if !self.ends.is_empty() {
            self.body.push(b',');
        }
        envelope.event(event, &mut self.body);
        self.ends.push(self.body.len());
        self.ids.push(id);
    }

    /// Appends an event that was encoded before.
    pub(crate) fn push_encoded(&mut self, id: Uuid, event: &[u8]) {
        if !self.ends.is_empty() {
            self.body.push(b',');
        }
        self.body.extend_from_slice(event);
        self.ends.push(self.body.len());
        self.ids.push(id);
    }

    /// Returns the events with their ids, in their order.
    pub(crate) fn events(&self) -> impl Iterator<Item = (Uuid, &[u8])> {
        self.ids.iter().enumerate().map(|(index, id)| (*id, self.event(index)))
    }

    /// Takes the last event out again; returns its id.
    fn pop(&mut self) -> Option<Uuid> {
        self.ends.pop();
        self.body.truncate(self.ends.last().copied().unwrap_or(self.head));
        self.ids.pop()
    }

    /// Returns how many bytes the body of an attempt has.
    pub(super) fn size(&self) -> usize {
        self.body.len() + self.tail
    }

    /// Returns how many events are in the batch.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns the ids of the events, in their order.
    pub(crate) fn ids(&self) -> &[Uuid] {
        &self.ids
    }

    /// Returns how many bytes of memory the batch takes.
    pub(crate) fn weight(&self) -> usize {
        self.body.capacity() + self.len() * (size_of::<usize>() + size_of::<Uuid>())
    }

    /// Completes the body for one attempt: the kept bytes and a fresh end.
    pub(crate) fn finish(&mut self, envelope: &dyn Envelope, attempt: Attempt) {
        self.body.truncate(self.ends.last().copied().unwrap_or(self.head));
        envelope.end(&self.info, attempt, &mut self.body);
    }

    /// Returns the body as [`finish`](Self::finish) has completed it.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Lends the body for the time of a request.
    pub(crate) fn lend_body(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.body)
    }

    /// Takes the lent body back.
    pub(crate) fn take_back(&mut self, body: Vec<u8>) {
        self.body = body;
    }

    /// Returns the bytes of one event.
    fn event(&self, index: usize) -> &[u8] {
        let start = match index.checked_sub(1) {
            None => self.head,
            Some(before) => self.ends.get(before).map_or(self.head, |end| end + 1),
        };
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.body.get(start..end).unwrap_or_default()
    }

    /// Cuts the batch in two of the same order, which are new batches under these ids. The attempt that
    /// showed the need does not count: halving is not a retry.
    pub(crate) fn halves(self, ids: [Uuid; 2]) -> [Self; 2] {
        let middle = self.len() / 2;
        let mut halves = [self.select(|index| index < middle), self.select(|index| index >= middle)];
        for ((half, id), part) in halves.iter_mut().zip(ids).zip([Part::First, Part::Last]) {
            half.info.id = id;
            half.attempts = self.attempts.saturating_sub(1);
            half.part = part;
        }
        halves
    }

    /// Returns the batch as it was before an attempt that was only to wait for its other half.
    pub(crate) fn deferred(mut self) -> Self {
        self.attempts = self.attempts.saturating_sub(1);
        self.part = Part::Last;
        self
    }

    /// Returns a batch of the events that `keep` says yes to, in the same order and with the same bytes.
    pub(crate) fn select(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut part = Self {
            body: self.body.get(..self.head).unwrap_or_default().to_vec(),
            head: self.head,
            tail: self.tail,
            ends: Vec::new(),
            ids: Vec::new(),
            info: self.info.clone(),
            generation: self.generation,
            attempts: self.attempts,
            part: self.part,
            was_never_sent: self.was_never_sent,
            bad_responses: self.bad_responses,
            born: self.born,
            first: self.first,
        };
        for (index, id) in self.ids.iter().enumerate().filter(|(index, _)| keep(*index)) {
            if !part.ends.is_empty() {
                part.body.push(b',');
            }
            part.body.extend_from_slice(self.event(index));
            part.ends.push(part.body.len());
            part.ids.push(*id);
        }
        part
    }

    /// Gives the memory back for the next batch.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.body
    }
}

/// Fills batches from the queue.
#[derive(Debug, Default)]
pub(crate) struct BatchBuilder {
    timestamps: Rfc3339,
    timestamp: Vec<u8>,
    /// What the fill under way has taken; read when it panics in an application's envelope.
    pub(crate) taken: Drained,
    /// Those of them that no request can hold, to be counted by whoever has asked for the fill.
    too_large: Vec<Uuid>,
}

/// The bounds of one batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    pub(crate) events: usize,
    /// The body of several events.
    pub(crate) bytes: usize,
    /// The body of a single one: what the endpoint takes at all.
    pub(crate) max_body_bytes: usize,
}

impl BatchLimits {
    /// Returns the bounds that the endpoint and the configuration set together.
    pub(crate) fn new(endpoint: &EnvelopeLimits, batch_bytes: usize) -> Self {
        let EnvelopeLimits { max_events, max_body_bytes, .. } = *endpoint;
        Self { events: max_events, bytes: batch_bytes.min(max_body_bytes), max_body_bytes }
    }

    /// Returns whether a batch is beyond what the endpoint takes.
    pub(crate) fn are_exceeded(&self, batch: &Batch) -> bool {
        batch.len() > self.events || batch.size() > self.max_body_bytes
    }
}

/// What was taken from the queue, and what of it belongs to a generation that is over.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Drained {
    pub(crate) depth: QueueDepth,
    pub(crate) stale: u64,
}

impl BatchBuilder {
    /// Moves events into the batch until a bound is reached or none is left.
    pub(crate) fn fill(
        &mut self,
        batch: &mut Batch,
        envelope: &dyn Envelope,
        common: &CommonProperties,
        ids: &mut Ids,
        limits: BatchLimits,
        (backlog, queue): (&mut Backlog, &Queue),
    ) -> Drained {
        self.taken = Drained::default();
        self.too_large.clear();
        backlog.collect(queue);
        while batch.len() < limits.events {
            if backlog.is_between_segments() {
                backlog.collect_batch(queue, self.taken.depth);
                let stale = backlog.skip_stale(queue, batch.generation);
                self.taken.stale += stale.events;
                self.taken.depth = self.taken.depth.plus(stale);
            }
            let before = self.taken;
            // Passed before it is written: should the envelope panic, this event is not met again.
            let Some(event) = backlog.next() else { break };
            self.taken.depth = before.depth.plus(QueueDepth { events: 1, bytes: event.size() as u64 });
            self.add(batch, envelope, common, ids, &event);
            if batch.len() == 1 && limits.are_exceeded(batch) {
                self.too_large.extend(batch.pop());
            } else if batch.size() > limits.bytes && batch.len() > 1 {
                // Only its envelope knows how many bytes an event takes; this one was too many.
                batch.pop();
                backlog.step_back();
                self.taken = before;
                break;
            }
        }
        std::mem::take(&mut self.taken)
    }

    /// Returns the events of the last fill that no request can hold: their envelope makes too many bytes of each.
    pub(crate) fn take_too_large(&mut self) -> Vec<Uuid> {
        std::mem::take(&mut self.too_large)
    }

    fn add(
        &mut self,
        batch: &mut Batch,
        envelope: &dyn Envelope,
        common: &CommonProperties,
        ids: &mut Ids,
        encoded: &EncodedEvent<'_>,
    ) {
        let id = encoded.uuid().unwrap_or_else(|| ids.next(encoded.timestamp()));
        self.timestamp.clear();
        self.timestamps.write(encoded.timestamp(), &mut self.timestamp);
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let uuid = &*id.hyphenated().encode_lower(&mut text);
        batch.push(envelope, &WireEvent { encoded, common, uuid, timestamp: &self.timestamp }, id);
    }
}
