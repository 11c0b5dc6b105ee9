//! The derive macros and their documentation; their code is in the crate `candor-derive`.

/// Derives [`Event`](trait@crate::Event) for a struct, with a schema for the catalogue.
///
/// ```
/// use candor::{Histogram, Label, Properties};
/// use std::time::Duration;
///
/// /// An access request was created.
/// ///
/// /// Shows which providers people ask for, and how many requests come with a reason.
/// #[derive(candor::Event)]
/// #[event(name = "cf:request.created", since = "0.9.0")]
/// struct RequestCreated<'a> {
///     /// Who asked for access.
///     #[event(distinct_id, property, hashed = "usr")]
///     requested_by: &'a str,
///     /// Whether the requester gave a reason. The reason itself is never sent.
///     has_reason: bool,
///     /// The kind of provider.
///     provider: Provider,
///     /// For how long, and when.
///     timing: Timing,
///     /// The version of the provider.
///     #[event(pattern = "v[0-9]+", max = 8)]
///     version: Option<&'a str>,
/// }
///
/// #[derive(Clone, Copy, Label)]
/// enum Provider {
///     Aws,
///     Gcp,
///     #[label(other)]
///     Other,
/// }
///
/// #[derive(Properties)]
/// struct Timing {
///     /// How long the access lasts.
///     #[event(rename = "duration_seconds")]
///     lasting: Duration,
/// }
/// ```
///
/// # On the struct: `#[event(...)]`
///
/// | | |
/// |---|---|
/// | `name = ".."` | the name that is sent; required |
/// | `distinct_id = context` | use the distinct id of the request's [`Context`](crate::Context); without a context the event is dropped and counted |
/// | `distinct_id = ".."` | a fixed distinct id, for events that are not about a person |
/// | `purpose = ".."` | `usage` (default), `error` or `update_check` |
/// | `why = ".."` | why the event is sent; default: the doc comment without its first paragraph |
/// | `link = ".."` | the address of more information |
/// | `since = ".."` | the first version that sends the event |
/// | `rename_all = ".."` | the case of the fields' names, such as `camelCase` |
/// | `no_groups` | leave out the client's groups |
/// | `crate = ".."` | the path of this crate, if it is re-exported |
///
/// # On a field
///
/// A field is a property, unless it is marked `distinct_id` (with `property`: both), `group = "type"`,
/// `timestamp`, `uuid` or `skip`. A distinct id that is `None` falls back to the id of the request's
/// [`Context`](crate::Context), which is sent as it is, without the field's policy; the catalogue shows this.
///
/// A field is safe to send because of its type, see [`Field`](trait@crate::encode::Field), or because of a policy:
///
/// | | |
/// |---|---|
/// | `hashed = "usr"` | text, a whole number or a `Uuid`, sent as SHA-256 of its text, as [`Hashed`](crate::Hashed) describes |
/// | `hashed_hex = 32` | the same types, sent as the first 8 to 64 hexadecimal digits of SHA-256 of the text |
/// | `keyed = "usr"` | the same types, sent as HMAC of the text with a secret that rotates, see [`PseudonymKey`](crate::PseudonymKey) |
/// | `pattern = "..", max = 32` | text that matches a [`Pattern`](crate::schema::Pattern) and has at most `max` (default 64) characters; other text is dropped and counted, or replaced by `other = ".."` |
/// | `label = Type` | text that is a word of a [`Label`](trait@crate::Label); other text is dropped, or replaced by its `other` |
/// | `raw = "reason"` | the value as it is; text has at most `max` (default 1,000) characters and matches a `pattern`, if there is one, or is dropped; the catalogue shows the reason |
/// | `buckets = [1, 10, 100]` | a whole number or a duration, sent as `<1`, `1-9`, `10-99` or `>=100` |
/// | `as_number` | a `bool`, sent as 0 or 1 |
///
/// A `Duration` is sent in whole units, which the end of the field's name selects: `_us`, `_ms`, `_seconds`,
/// `_minutes`, `_hours` or `_days`. A list requires a maximum number of items, as in `items = 16`; further items
/// are dropped and counted, and a policy applies to each item. A field whose name ends with `_id` or `_by` must be
/// hashed or keyed, or give a `raw` reason. An `Option` that is `None` is left out.
///
/// `rename = ".."` sets the name. `example = ..`, `since = ".."` and the doc comment are for the catalogue.
#[doc(inline)]
pub use candor_derive::Event;

/// Derives [`Properties`](trait@crate::Properties) for a struct: an object within an event.
///
/// Fields have the attributes of an [event](derive@crate::Event)'s fields, except for `distinct_id`, `group`,
/// `timestamp` and `uuid`. The struct can have `#[properties(rename_all = "..")]`.
///
/// ```
/// /// How many findings there are.
/// #[derive(candor::Properties)]
/// #[properties(rename_all = "SCREAMING_SNAKE_CASE")]
/// struct Severities {
///     critical: u32,
///     high: u32,
/// }
/// ```
#[doc(inline)]
pub use candor_derive::Properties;

/// Derives [`Label`](trait@crate::Label) for an enum without data, or for a struct with text and a pattern.
///
/// The words are the variants in `snake_case`, unless `#[label(rename_all = "kebab-case")]` or, on a variant,
/// `#[label(name = "..")]` sets another name. A variant with `#[label(other)]` replaces every unknown word.
/// The catalogue shows the doc comments of the variants.
///
/// ```
/// use candor::schema::ClosedLabel;
///
/// #[derive(Clone, Copy, Debug, PartialEq, candor::Label)]
/// #[label(rename_all = "kebab-case")]
/// enum Mode {
///     /// Nothing was changed.
///     DryRun,
///     Apply,
///     #[label(other)]
///     Other,
/// }
///
/// assert_eq!(Mode::from_label("dry-run"), Some(Mode::DryRun));
/// assert_eq!(Mode::from_label("--key secret"), Some(Mode::Other));
/// ```
///
/// A set that is too large to list but has a grammar is a struct with one text field. Text that does not match
/// is dropped and counted:
///
/// ```
/// #[derive(candor::Label)]
/// #[label(pattern = "AwsSolutions-[A-Z0-9]+|CDKI-[A-Z0-9-]+", max = 40)]
/// struct Rule<'a>(&'a str);
///
/// let mut fired = candor::Histogram::<Rule>::new();
/// fired.count(Rule("AwsSolutions-S10"));
/// fired.count(Rule("/home/ada/rules/own"));
/// assert_eq!(fired.get("AwsSolutions-S10"), 1);
/// assert_eq!(fired.get("/home/ada/rules/own"), 0);
/// ```
#[doc(inline)]
pub use candor_derive::Label;
