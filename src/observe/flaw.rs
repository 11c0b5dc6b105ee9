//! What makes an event invalid.
//!
//! Never holds anything of the event itself.

/// Why an event cannot be sent as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flaw {
    /// The event has no name, or a blank one.
    EmptyName,
    /// The name has more than 200 characters, or with PostHog's v1 protocol more than 200 bytes.
    LongName,
    /// The event has no distinct id, or a blank one.
    EmptyDistinctId,
    /// The distinct id has more than 200 characters, or with PostHog's v1 protocol more than 200 bytes.
    LongDistinctId,
    /// The event would make, change or merge a person under an id that strangers share, such as `anonymous`.
    SharedDistinctId,
    /// The event is about a group whose type or key is blank.
    EmptyGroup,
    /// A reserved property has a value that the receiver would refuse, such as a `$set` that is not an object.
    Malformed,
    /// A number is not finite, so that JSON cannot hold it.
    NotFinite,
    /// A value's own `Serialize` failed, or has no form in JSON.
    Unserializable,
    /// The event is larger than the limit of its client.
    TooLarge,
    /// The code of the event panicked while it was encoded.
    Panicked,
    /// The client sends only what its catalogue declares, and this event is not in it.
    Undeclared,
}
