//! A run of encoded events of one consent generation, back to back in one buffer.
//!
//! [`Segment::bytes`] is also what is kept on disk: the events as [`EncodedEvent`] lays them out, and nothing else.
//! [`Segment::from_bytes`] takes them back; bytes that were damaged are refused as a whole.

use crate::event::EncodedEvent;

/// Encoded events of one generation.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    bytes: Vec<u8>,
    events: u32,
    generation: u32,
    /// The segment below in a [`Stack`].
    next: Option<Box<Segment>>,
}

impl Segment {
    /// Creates an empty segment with room for so many bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), ..Self::default() }
    }

    /// Takes back what [`bytes`](Self::bytes) gave; `None` if it is not a whole number of events.
    #[cfg_attr(not(test), allow(dead_code, reason = "for segments that come from a file"))]
    pub(crate) fn from_bytes(bytes: Vec<u8>, generation: u32) -> Option<Self> {
        let (mut at, mut events) = (0, 0_u32);
        while at < bytes.len() {
            at += EncodedEvent::read(bytes.get(at..)?)?.size();
            events = events.checked_add(1)?;
        }
        Some(Self { bytes, events, generation, next: None })
    }

    /// Returns the events, back to back.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns how many events there are.
    pub(crate) fn len(&self) -> u32 {
        self.events
    }

    /// Returns the consent generation under which the events were captured.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Returns how many bytes of memory the segment holds.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Empties the segment for events of this generation.
    pub(crate) fn reset(&mut self, generation: u32) {
        self.bytes.clear();
        self.events = 0;
        self.generation = generation;
    }

    /// Returns whether so many bytes more fit without an allocation.
    #[inline]
    pub(crate) fn has_room_for(&self, size: usize) -> bool {
        self.bytes.capacity() - self.bytes.len() >= size
    }

    /// Appends an event.
    #[inline]
    pub(crate) fn push(&mut self, event: &EncodedEvent<'_>) {
        event.write(&mut self.bytes);
        self.events += 1;
    }

    /// Returns the event that begins at this byte; `None` at the end.
    #[inline]
    pub(crate) fn event_at(&self, at: usize) -> Option<EncodedEvent<'_>> {
        EncodedEvent::read(self.bytes.get(at..)?)
    }

    /// Returns the events in their order.
    #[cfg_attr(not(test), allow(dead_code, reason = "for segments that come from a file"))]
    pub(crate) fn events(&self) -> impl Iterator<Item = EncodedEvent<'_>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let event = self.event_at(at)?;
            at += event.size();
            Some(event)
        })
    }
}

/// Segments one on top of the other, linked through themselves, so that a push allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Stack {
    top: Option<Box<Segment>>,
}

impl Stack {
    pub(crate) fn push(&mut self, mut segment: Box<Segment>) {
        segment.next = self.top.take();
        self.top = Some(segment);
    }

    pub(crate) fn pop(&mut self) -> Option<Box<Segment>> {
        let mut segment = self.top.take()?;
        self.top = segment.next.take();
        Some(segment)
    }
}

impl Drop for Stack {
    /// One by one: a long stack would otherwise drop itself in as many nested calls.
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn segment(texts: &[(String, bool)]) -> Segment {
        let mut segment = Segment::with_capacity(0);
        segment.reset(8);
        for (text, has_id) in texts {
            let id = has_id.then(|| Uuid::from_u128(text.len() as u128));
            segment.push(&EncodedEvent::sample_of("\"id\"", text.as_bytes(), id));
        }
        segment
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_segment_is_taken_back_from_its_bytes(texts in prop::collection::vec((".{0,40}", any::<bool>()), 0..20)) {
            let written = segment(&texts);
            let read = Segment::from_bytes(written.bytes().to_vec(), 8).expect("whole events");
            prop_assert_eq!((read.len() as usize, read.generation()), (texts.len(), 8));
            prop_assert_eq!(read.bytes(), written.bytes());
            for (event, (text, has_id)) in read.events().zip(&texts) {
                prop_assert_eq!(event.properties(), text.as_bytes());
                prop_assert_eq!(event.uuid().is_some(), *has_id);
            }
            prop_assert_eq!(read.events().count(), texts.len());
        }

        #[test]
        fn damaged_bytes_are_refused_or_read_without_a_panic(
            texts in prop::collection::vec((".{0,20}", any::<bool>()), 1..6),
            at in any::<prop::sample::Index>(),
            value in any::<u8>(),
            end in any::<prop::sample::Index>(),
        ) {
            let mut bytes = segment(&texts).bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = value;
            bytes.truncate(end.index(bytes.len()) + 1);
            if let Some(read) = Segment::from_bytes(bytes.clone(), 0) {
                prop_assert_eq!(read.events().count(), read.len() as usize);
                prop_assert_eq!(read.events().map(|event| event.size()).sum::<usize>(), bytes.len());
            }
        }

        #[test]
        fn bytes_of_anything_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Segment::from_bytes(bytes, 0);
        }
    }

    #[test]
    fn a_long_stack_is_dropped_without_deep_calls() {
        let mut stack = Stack::default();
        for _ in 0..1_000_000 {
            stack.push(Box::new(Segment::with_capacity(0)));
        }
        drop(stack);
    }
}
