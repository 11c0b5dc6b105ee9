//! The event that `event!` captures. Its type lists its properties, so they are written directly into the encoder, and
//! no property allocates.

mod key;
mod reused;

use std::borrow::Cow;

use serde::Serialize;

use super::dynamic::{About, DynamicEvent};
use super::{Encoder, Event};
use crate::timestamp::Timestamp;
pub use key::{Key, bare};
use reused::Reused;
pub use reused::{AsIs, Id};

/// An event whose properties are known at compile time; `P` lists them, with the last one outermost.
#[derive(Debug)]
pub struct InlineEvent<P> {
    name: Cow<'static, str>,
    distinct_id: Option<Reused>,
    timestamp: Option<Timestamp>,
    parts: P,
    /// Whether a property or a group type is set twice.
    has_duplicates: bool,
}

/// A property.
#[derive(Debug)]
pub struct Property<V> {
    key: Key,
    value: V,
}

/// A group.
#[derive(Debug)]
pub struct Group {
    group_type: &'static str,
    key: String,
}

impl InlineEvent<()> {
    /// Creates an event with the distinct id of the active context, unless it gets its own.
    #[inline]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), distinct_id: None, timestamp: None, parts: (), has_duplicates: false }
    }
}

impl<P: Parts> InlineEvent<P> {
    /// Sets a property; a second value under the same name replaces the first.
    ///
    /// The type of the value is hidden, so the compiler reports one that cannot be serialized here, and only here.
    #[inline]
    pub fn property<V: Serialize>(self, key: Key, value: V) -> InlineEvent<(P, Property<impl Serialize>)> {
        // All keys are literals, so the compiler decides this.
        let is_known = self.parts.has_property(key.name());
        self.with(Property { key, value }, is_known)
    }

    /// Adds the event to a group; a second key for the same type replaces the first.
    #[inline]
    pub fn group(self, group_type: &'static str, key: impl Into<String>) -> InlineEvent<(P, Group)> {
        let is_known = self.parts.has_group(group_type);
        self.with(Group { group_type, key: key.into() }, is_known)
    }

    #[inline]
    fn with<T>(self, part: T, is_known: bool) -> InlineEvent<(P, T)> {
        InlineEvent {
            name: self.name,
            distinct_id: self.distinct_id,
            timestamp: self.timestamp,
            parts: (self.parts, part),
            has_duplicates: self.has_duplicates || is_known,
        }
    }

    /// Sets the distinct id of the event.
    #[inline]
    #[must_use]
    pub fn distinct_id(mut self, distinct_id: impl DistinctId) -> Self {
        self.distinct_id = Some(Reused::new(distinct_id.into_text()));
        self
    }

    /// Sets the time of the event, instead of the time of its capture.
    #[inline]
    #[must_use]
    pub fn timestamp(mut self, at: impl Into<Timestamp>) -> Self {
        self.timestamp = Some(at.into());
        self
    }

    /// Returns an event with the same properties and groups, in which the last value of a name counts.
    #[cold]
    fn to_dynamic(&self) -> DynamicEvent {
        self.parts.add_to(DynamicEvent::made(self.name.clone(), About::Context))
    }
}

impl<P: Parts> Event for InlineEvent<P> {
    #[inline]
    fn name(&self) -> &str {
        &self.name
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        if let Some(id) = &self.distinct_id {
            event.distinct_id(id.text());
        }
        if self.has_duplicates {
            self.to_dynamic().encode(event);
        } else {
            self.parts.encode(event);
        }
        if let Some(at) = self.timestamp {
            event.timestamp(at);
        }
    }
}

/// A distinct id of `event!`: text, or anything that converts into it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a distinct id, which is text",
    label = "expected `&str`, `String` or a type that converts into `String`",
    note = "convert another value to text first, for example with `.to_string()`"
)]
pub trait DistinctId {
    /// Returns the text.
    fn into_text(self) -> String;
}

// So the compiler reports the message above instead of this implementation's bound.
#[diagnostic::do_not_recommend]
impl<T: Into<String>> DistinctId for T {
    #[inline]
    fn into_text(self) -> String {
        self.into()
    }
}

/// The properties and groups of an [`InlineEvent`].
pub trait Parts {
    /// Writes them in order.
    fn encode(&self, event: &mut Encoder<'_>);

    /// Returns whether there is a property of this name.
    fn has_property(&self, key: &str) -> bool;

    /// Returns whether there is a group of this type.
    fn has_group(&self, group_type: &str) -> bool;

    /// Adds them to a dynamic event.
    fn add_to(&self, event: DynamicEvent) -> DynamicEvent;
}

impl Parts for () {
    #[inline]
    fn encode(&self, _: &mut Encoder<'_>) {}

    #[inline]
    fn has_property(&self, _: &str) -> bool {
        false
    }

    #[inline]
    fn has_group(&self, _: &str) -> bool {
        false
    }

    fn add_to(&self, event: DynamicEvent) -> DynamicEvent {
        event
    }
}

impl<P: Parts, V: Serialize> Parts for (P, Property<V>) {
    #[inline]
    fn encode(&self, event: &mut Encoder<'_>) {
        self.0.encode(event);
        self.1.key.write(event, &self.1.value);
    }

    #[inline]
    fn has_property(&self, key: &str) -> bool {
        self.1.key.name() == key || self.0.has_property(key)
    }

    #[inline]
    fn has_group(&self, group_type: &str) -> bool {
        self.0.has_group(group_type)
    }

    fn add_to(&self, event: DynamicEvent) -> DynamicEvent {
        self.0.add_to(event).property(self.1.key.name(), &self.1.value)
    }
}

impl<P: Parts> Parts for (P, Group) {
    #[inline]
    fn encode(&self, event: &mut Encoder<'_>) {
        self.0.encode(event);
        event.group(self.1.group_type, &self.1.key);
    }

    #[inline]
    fn has_property(&self, key: &str) -> bool {
        self.0.has_property(key)
    }

    #[inline]
    fn has_group(&self, group_type: &str) -> bool {
        self.1.group_type == group_type || self.0.has_group(group_type)
    }

    fn add_to(&self, event: DynamicEvent) -> DynamicEvent {
        self.0.add_to(event).group(self.1.group_type, self.1.key.clone())
    }
}

#[cfg(test)]
#[allow(unused_imports, reason = "the compiler reports an import of `event!` only in this crate")]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::event::{Buffers, CommonProperties};
    use crate::observe::LossReason;

    /// The name, the event's bytes, the number of properties left out, and the reason for the last of them.
    type Encoded = (Vec<u8>, Vec<u8>, u32, Option<LossReason>);

    /// Encodes an event, or returns the reason that it is lost.
    fn encoded(event: &dyn Event) -> Result<Encoded, LossReason> {
        let (mut buffers, common) = (Buffers::default(), CommonProperties::default());
        let mut encoder = Encoder::new(&mut buffers, &common, event.name());
        event.encode(&mut encoder);
        let (dropped, refused) = (encoder.losses().dropped, encoder.losses().refused);
        let event = encoder.finish(Timestamp::from_unix_millis(7), usize::MAX)?;
        let (mut bytes, mut head) = (Vec::new(), Vec::new());
        event.write(&mut bytes);
        head.extend_from_slice(event.name());
        Ok((head, bytes, dropped, refused))
    }

    /// Checks that `event!` sends the same bytes as an event that is built at run time.
    macro_rules! same {
        ($id:expr, $($rest:tt)*) => {
            assert_eq!(
                encoded(&crate::__event!(InlineEvent::new("happened").distinct_id($id), $($rest)*)),
                encoded(&crate::__event!(DynamicEvent::new("happened", $id), $($rest)*)),
            )
        };
    }

    #[test]
    fn sends_what_an_event_that_is_built_at_run_time_sends() {
        let nothing: Option<u8> = None;
        same!(
            "id",
            n = 1,
            text = "plain",
            quoted = "a \"b\"\n",
            tls = true,
            ratio = 0.5_f32,
            nothing = nothing
        );
        same!(
            "id",
            "$current_url" = "/",
            letter = 'x',
            big = u64::MAX,
            small = i64::MIN,
            huge = u128::MAX,
            unit = ()
        );
        same!("id", list = [1, 2], map = BTreeMap::from([("a", Some(1.5))]), tree = json!({"a": [null]}));
        same!("id", groups = { team = "blue", company = String::from("acme") }, n = 1);
        same!("id", n = 1, timestamp = Timestamp::from_unix_millis(3), distinct_id = "other");
        same!(" ", n = 1);
        same!("id",);
        same!(
            "id",
            "a \"quoted\" key" = 1,
            "a\\key" = 2,
            "umlaut ä" = 3,
            r"raw" = 4,
            "" = 5,
            type_of = 6,
            r#type = 7
        );
    }

    #[test]
    fn a_raw_identifier_is_sent_without_its_prefix() {
        let event = crate::__event!(
            InlineEvent::new("happened").distinct_id("id"),
            r#type = 1,
            "r#as_written" = 2,
            r#match = 3,
            r#match = 4,
            groups = { r#in = "blue" },
        );
        let (_, bytes, ..) = encoded(&event).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains(r#""in":"blue""type":1,"r#as_written":2,"match":4"#), "{text}");
    }

    /// An application's own id.
    struct Account(u64);

    impl From<Account> for String {
        fn from(account: Account) -> Self {
            format!("account-{}", account.0)
        }
    }

    #[test]
    fn a_distinct_id_may_be_anything_that_converts_into_a_string() {
        let text = String::from("id");
        same!(text.as_str(), n = 1, distinct_id = text.as_str());
        same!("id", n = 1, distinct_id = &text);
        same!("id", n = 1, distinct_id = text.clone());
        same!("id", n = 1, distinct_id = Cow::Borrowed("other"));
        same!("id", n = 1, distinct_id = Box::<str>::from("other"));
        same!("id", n = 1, distinct_id = 'x');
        same!("id", n = 1, distinct_id = Account(7));
    }

    #[test]
    fn other_arguments_may_use_what_the_distinct_id_was_borrowed_from() {
        let mut seen = vec![String::from("first")];
        let event = crate::__event!(
            InlineEvent::new("happened").distinct_id(crate::__distinct_id!(seen[0].as_str())),
            before = {
                seen.push(String::from("second"));
                1
            },
            all = seen,
        );
        let (_, bytes, ..) = encoded(&event).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains(r#""first""before":1,"all":["first","second"]"#), "{text}");
    }

    #[test]
    fn an_event_within_an_event_has_its_own_distinct_id() {
        let outer = crate::__event!(InlineEvent::new("outer").distinct_id(crate::__distinct_id!("a")), n = 1);
        let inner = crate::__event!(InlineEvent::new("inner").distinct_id(crate::__distinct_id!("b")), n = 1);
        let holds =
            |event: &dyn Event, id: &str| String::from_utf8(encoded(event).unwrap().1).unwrap().contains(id);
        assert!(holds(&outer, "\"a\"") && holds(&inner, "\"b\""));
    }

    #[test]
    fn leaves_out_what_an_event_that_is_built_at_run_time_leaves_out() {
        same!("id", before = 1, ratio = f64::NAN, after = 2);
        same!("id", ratio = Some(f32::INFINITY));
        same!("id", list = [1.0, f64::NAN]);
        same!("id", "$lib" = "other", n = 1);
        let event = crate::__event!(InlineEvent::new("happened").distinct_id("id"), n = 1, ratio = f64::NAN);
        assert_eq!(
            encoded(&event).map(|(_, _, dropped, reason)| (dropped, reason)),
            Ok((1, Some(LossReason::NotFinite)))
        );
    }

    #[test]
    fn the_last_value_of_a_name_counts() {
        same!("id", n = 1, other = 2, n = "last");
        same!("id", n = 1, n = f64::NAN);
        same!("id", groups = { team = "blue", company = "acme", team = "red" });
        same!("id", n = 1, groups = { n = "a" });
    }
}
