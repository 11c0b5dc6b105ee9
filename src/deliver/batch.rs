//! Batches: encoded events that are sent together, with the same bytes on every attempt.

use std::time::Instant;

use uuid::Uuid;

use super::halving::Part;
use crate::event::{CommonProperties, EncodedEvent};
use crate::queue::{Backlog, Queue, QueueDepth};
use crate::timestamp::Rfc3339;
use crate::wire::{Attempt, BatchInfo, Envelope, EnvelopeLimits, Ids, WireEvent};

/// Encoded events that are sent in one request, and again until the batch is settled.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The beginning of the envelope, the events separated by commas and, during an attempt, the envelope's end.
    body: Vec<u8>,
    head: usize,
    /// The size of the envelope's end, which each attempt adds.
    tail: usize,
    ends: Vec<usize>,
    ids: Vec<Uuid>,
    pub(crate) info: BatchInfo,
    pub(crate) generation: u32,
    pub(crate) attempts: u32,
    pub(crate) part: Part,
    /// Whether the last attempt did not reach the endpoint.
    pub(crate) was_never_sent: bool,
    /// The number of attempts whose response was not readable HTTP.
    pub(crate) bad_responses: u32,
    pub(crate) born: Instant,
    /// The position of the first event in the order of capture, for `flush`.
    pub(crate) first: u64,
}

impl Batch {
    /// Creates an empty batch; `spare` is memory to reuse.
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

    /// Appends an event that is already encoded.
    pub(crate) fn push_encoded(&mut self, id: Uuid, event: &[u8]) {
        if !self.ends.is_empty() {
            self.body.push(b',');
        }
        self.body.extend_from_slice(event);
        self.ends.push(self.body.len());
        self.ids.push(id);
    }

    /// Returns the events with their ids, in order.
    pub(crate) fn events(&self) -> impl Iterator<Item = (Uuid, &[u8])> {
        self.ids.iter().enumerate().map(|(index, id)| (*id, self.event(index)))
    }

    /// Removes the last event and returns its id.
    fn pop(&mut self) -> Option<Uuid> {
        self.ends.pop();
        self.body.truncate(self.ends.last().copied().unwrap_or(self.head));
        self.ids.pop()
    }

    /// Returns the size of an attempt's body in bytes.
    pub(super) fn size(&self) -> usize {
        self.body.len() + self.tail
    }

    /// Returns how many events are in the batch.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns the ids of the events, in order.
    pub(crate) fn ids(&self) -> &[Uuid] {
        &self.ids
    }

    /// Returns how many bytes of memory the batch uses.
    pub(crate) fn weight(&self) -> usize {
        self.body.capacity() + self.len() * (size_of::<usize>() + size_of::<Uuid>())
    }

    /// Completes the body for one attempt by writing a new end.
    pub(crate) fn finish(&mut self, envelope: &dyn Envelope, attempt: Attempt) {
        self.body.truncate(self.ends.last().copied().unwrap_or(self.head));
        envelope.end(&self.info, attempt, &mut self.body);
    }

    /// Returns the body as completed by [`finish`](Self::finish).
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Takes the body out for the duration of a request.
    pub(crate) fn lend_body(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.body)
    }

    /// Puts the body back after the request.
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

    /// Cuts the batch into two new ones with these ids, keeping the order. The refused attempt does not count, since
    /// halving is not a retry.
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

    /// Returns the batch to be sent again after its other half. The refused attempt does not count.
    pub(crate) fn deferred(mut self) -> Self {
        self.attempts = self.attempts.saturating_sub(1);
        self.part = Part::Last;
        self
    }

    /// Returns a batch of the events for which `keep` returns true, in the same order and with the same bytes.
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

    /// Returns the memory for the next batch.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.body
    }
}

/// Fills batches from the queue.
#[derive(Debug, Default)]
pub(crate) struct BatchBuilder {
    timestamps: Rfc3339,
    timestamp: Vec<u8>,
    /// What the current fill has taken; read if the application's envelope panics.
    pub(crate) taken: Drained,
    /// The events that are too large for any request; the caller of `fill` counts them.
    too_large: Vec<Uuid>,
}

/// The limits of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    pub(crate) events: usize,
    /// The maximum body of several events, in bytes.
    pub(crate) bytes: usize,
    /// The maximum body of a single event, in bytes: the endpoint's own limit.
    pub(crate) max_body_bytes: usize,
}

impl BatchLimits {
    /// Combines the limits of the endpoint and the configuration.
    pub(crate) fn new(endpoint: &EnvelopeLimits, batch_bytes: usize) -> Self {
        let EnvelopeLimits { max_events, max_body_bytes, .. } = *endpoint;
        Self { events: max_events, bytes: batch_bytes.min(max_body_bytes), max_body_bytes }
    }

    /// Returns whether a batch exceeds the limits of the endpoint.
    pub(crate) fn are_exceeded(&self, batch: &Batch) -> bool {
        batch.len() > self.events || batch.size() > self.max_body_bytes
    }
}

/// How much was taken from the queue, and how much of it belongs to a generation that has ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Drained {
    pub(crate) depth: QueueDepth,
    pub(crate) stale: u64,
}

impl BatchBuilder {
    /// Moves events into the batch until a limit is reached or none is left.
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
            // Taken before it is written, so an event on which the envelope panics is not tried again.
            let Some(event) = backlog.next() else { break };
            self.taken.depth = before.depth.plus(QueueDepth { events: 1, bytes: event.size() as u64 });
            self.add(batch, envelope, common, ids, &event);
            if batch.len() == 1 && limits.are_exceeded(batch) {
                self.too_large.extend(batch.pop());
            } else if batch.size() > limits.bytes && batch.len() > 1 {
                // The size of an event is known only once the envelope has written it; this one is too large.
                batch.pop();
                backlog.step_back();
                self.taken = before;
                break;
            }
        }
        std::mem::take(&mut self.taken)
    }

    /// Returns the events of the last fill that are too large for any request once the envelope has written them.
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
