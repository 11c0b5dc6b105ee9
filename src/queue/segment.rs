//! A run of encoded events of one consent generation, one after another in one buffer.
//!
//! [`Segment::bytes`] is also the format on disk: the events as [`EncodedEvent`] lays them out, and nothing else.
//! [`Segment::from_bytes`] reads them back, and rejects damaged bytes as a whole.

use crate::event::EncodedEvent;

/// Encoded events of one generation.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    bytes: Vec<u8>,
    events: u32,
    generation: u32,
    /// The segment below this one in a [`Stack`].
    next: Option<Box<Segment>>,
}

impl Segment {
    /// Creates an empty segment with room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), ..Self::default() }
    }

    /// Reads back the result of [`bytes`](Self::bytes). Returns `None` if it is not a whole number of events.
    #[cfg_attr(not(test), allow(dead_code, reason = "for segments that come from a file"))]
    pub(crate) fn from_bytes(bytes: Vec<u8>, generation: u32) -> Option<Self> {
        let (mut at, mut events) = (0, 0_u32);
        while at < bytes.len() {
            at += EncodedEvent::read(bytes.get(at..)?)?.size();
            events = events.checked_add(1)?;
        }
        Some(Self { bytes, events, generation, next: None })
    }

    /// Returns the encoded events, one after another.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the number of events.
    pub(crate) fn len(&self) -> u32 {
        self.events
    }

    /// Returns the consent generation under which the events were captured.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Returns the capacity in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Empties the segment for events of this generation.
    pub(crate) fn reset(&mut self, generation: u32) {
        self.bytes.clear();
        self.events = 0;
        self.generation = generation;
    }

    /// Returns whether `size` more bytes fit without an allocation.
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

    /// Returns the event that starts at this position, or `None` at the end.
    #[inline]
    pub(crate) fn event_at(&self, at: usize) -> Option<EncodedEvent<'_>> {
        EncodedEvent::read(self.bytes.get(at..)?)
    }

    /// Returns the events in order.
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

/// A stack of segments, linked through the segments themselves, so a push allocates nothing.
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
    /// Drops the segments one by one, because dropping a long list recursively would overflow the call stack.
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
        fn a_segment_is_read_back_from_its_bytes(texts in prop::collection::vec((".{0,40}", any::<bool>()), 0..20)) {
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
        fn damaged_bytes_are_rejected_or_read_without_a_panic(
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
        fn arbitrary_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Segment::from_bytes(bytes, 0);
        }
    }

    #[test]
    fn a_long_stack_is_dropped_without_recursion() {
        let mut stack = Stack::default();
        for _ in 0..1_000_000 {
            stack.push(Box::new(Segment::with_capacity(0)));
        }
        drop(stack);
    }
}
