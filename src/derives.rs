//! The derive macros, with their documentation.
//! Gives `Event`, `Properties` and `Label` for `#[derive(...)]`.
//! Never holds code: that is in the crate of the macros.

/// Derives [`Event`](trait@crate::Event) for a struct, and its schema for the catalogue.
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
/// | `name = ".."` | the name that is sent; needed |
/// | `distinct_id = context` | the distinct id of the request's [`Context`](crate::Context); without a context the event is dropped and counted |
/// | `distinct_id = ".."` | a fixed distinct id, for events about nobody |
/// | `purpose = ".."` | `usage` (default), `error` or `update_check` |
/// | `why = ".."` | why it is sent; default: the doc comment after its first paragraph |
/// | `link = ".."` | where more is said |
/// | `since = ".."` | the first version that sends it |
/// | `rename_all = ".."` | how the fields' names are spelt, such as `camelCase` |
/// | `no_groups` | leaves out the groups of the client |
/// | `crate = ".."` | the path of this crate, if it is re-exported |
///
/// # On a field
///
/// What the field is: a property, unless it says `distinct_id` (with `property`: both), `group = "type"`,
/// `timestamp`, `uuid` or `skip`. An optional distinct id that is `None` falls back to that of the request's
/// [`Context`](crate::Context), as it is and without the field's policy; the catalogue shows this.
///
/// How it is safe: by its type, see [`Field`](trait@crate::encode::Field), or by one of
///
/// | | |
/// |---|---|
/// | `hashed = "usr"` | text, a whole number or a `Uuid`: SHA-256 of its text as [`Hashed`](crate::Hashed) has it |
/// | `hashed_hex = 32` | the same: the first 8 to 64 hexadecimal digits of SHA-256 of its text |
/// | `keyed = "usr"` | the same: HMAC of its text under a secret that rotates, see [`PseudonymKey`](crate::PseudonymKey) |
/// | `pattern = "..", max = 32` | text that matches a [`Pattern`](crate::schema::Pattern) and has at most so many characters (default 64); other text is dropped and counted, or sent as `other = ".."` |
/// | `label = Type` | text that is a word of a [`Label`](trait@crate::Label); other text is dropped, or becomes its `other` |
/// | `raw = "reason"` | as it is, text up to `max` (default 1,000) characters, and matching a `pattern` if there is one; the catalogue shows the reason |
/// | `buckets = [1, 10, 100]` | a whole number or duration, as `<1`, `1-9`, `10-99` or `>=100` |
/// | `as_number` | a `bool` as 0 or 1 |
///
/// A `Duration` is sent in whole units, and the name says which: `_us`, `_ms`, `_seconds`, `_minutes`,
/// `_hours` or `_days`. A list needs `items = 16`; a policy then holds for each item, and what is beyond
/// the bound is dropped. A field whose name ends with `_id` or `_by` must be hashed or keyed, or give a
/// `raw` reason. An `Option` that is `None` is left out.
///
/// `rename = ".."` sets the name, `example = ..` and `since = ".."` are for the catalogue, and so is the
/// doc comment.
#[doc(inline)]
pub use candor_derive::Event;

/// Derives [`Properties`](trait@crate::Properties) for a struct: an object within an event.
///
/// Fields are as those of an [event](derive@crate::Event), without `distinct_id`, `group`, `timestamp`
/// and `uuid`. The struct knows `#[properties(rename_all = "..")]`.
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

/// Derives [`Label`](trait@crate::Label) for an enum without data, or for text with a pattern.
///
/// Words are the variants in `snake_case`, unless `#[label(rename_all = "kebab-case")]` or, on a variant,
/// `#[label(name = "..")]` says otherwise. A variant with `#[label(other)]` stands for all unknown words.
/// Doc comments of variants are shown in the catalogue.
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
/// A set that is too large to list, but has a grammar, is a struct of one text. What does not match is
/// dropped and counted:
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
