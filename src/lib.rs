//! Product analytics that ask first.
//!
//! Server applications and command-line tools call [`capture()`]; a background worker batches the events and delivers
//! them to PostHog, or to your own endpoint in PostHog's batch form. A consent gate decides first: if the person, the
//! project or the deployment refuses, there is no thread, no socket, no file and not one byte sent.
//!
//! ```no_run
//! use candor::{Consent, Notice};
//!
//! fn main() {
//!     let _guard = candor::init_or_disabled(
//!         candor::config!()
//!             .posthog_eu("phc_..")
//!             .consent(Consent::opt_out(Notice::documented("https://example.com/telemetry"))),
//!     );
//!     candor::event!("server started", distinct_id = "node-7");
//! }
//! ```
//!
//! Replace `phc_..` with your project's key, and the address with that of the page that says what you send. For your
//! own endpoint, use [`Config::endpoint`].
//!
//! # Where to go
//!
//! - [`_documentation::guide`]: from a first event to a server with a graceful shutdown, a tool that asks once, a
//!   library and tests of your own events.
//! - [`_documentation::consent`]: what decides whether anything is sent, and how to find out why.
//! - [`_documentation::privacy`]: what can leave the machine, and what each way of making a value safe protects
//!   against.
//! - [`_documentation::design`]: how candor works, and why.
//! - [`_documentation::migrating_from_posthog_rs`]: call by call.
//!
//! # Overview
//!
//! - [`config!`] starts a [`Config`], which holds every setting; [`Consent`] says who may grant and who may
//!   refuse.
//! - [`init_or_disabled`] or [`init`] creates the global client and returns its [`Guard`]; [`capture()`], [`event!`],
//!   [`flush`], [`shutdown`], [`stats`] and [`status`] work on it. A [`Client`] does the same without globals.
//! - [`Event`](trait@Event) is a typed event that encodes itself, derived by
//!   [`#[derive(Event)]`](derive@Event); [`DynamicEvent`] is built at run time.
//! - [`events!`] lists the events of a program as its [`Catalogue`], which generates the page for its users,
//!   JSON Schemas and the notice; [`Config::strict`] sends nothing else, and [`preview`] shows what would be sent.
//! - [`schema`] describes as data what an event may contain, and [`encode`] is for events encoded by hand.
//! - [`transport`] sends requests and [`wire`] defines their form, for anything other than HTTP to PostHog.
//! - [`consent`] has what an application or an administrator's tool needs to show a decision.
//! - `tower` has the layers for servers.
//! - [`cli`] is the kit for command-line tools: the first run, one event for each command, and the verbs `status`,
//!   `on`, `off`, `show`, `log` and `forget`.
//! - [`testing`] captures the events of a closure, for an application's own tests.
//!
//! # What the application can rely on
//!
//! - `capture` returns nothing, never panics and never waits, unless [`Overflow::Wait`] is set. While
//!   telemetry is off, it is one atomic load, and the arguments of [`event!`] are not evaluated.
//! - Only `init`, `flush`, `shutdown` and changes of consent return a [`Result`].
//! - Every lost event is counted with its [`LossReason`].
//! - After `fork`, the child captures into a bounded queue that is never drained; `flush` and `shutdown`
//!   return immediately, and `init` starts anew. Tested on Linux.
//! - A panic in the code of an event, in a hook, a transport or an envelope is caught and counted. This
//!   requires `panic = "unwind"`, which is Rust's default.
//!
//! # Logs
//!
//! candor logs through the `log` facade, under the target `candor`: at `warn`, once, what the application or an
//! administrator should change; at `info`, why a client starts disabled; at `debug`, counts and reasons. A
//! warning about an event is logged once for each reason and event name, for at most 16 of them. Without a logger for
//! `log`, nothing is shown.
//!
//! Debugging ([`Config::debug`], `<APP>_TELEMETRY_LOG=debug`) prints at `info`, or to stderr if no logger takes it: under
//! the target `candor::batch` each batch and the result of each attempt, with the endpoint's message; under `candor` each
//! event that is dropped and each property that is left out, with the reason. Contents are printed only with debugging.
//! The API key and headers are never printed.
//!
//! # Nothing arrives?
//!
#![doc = include_str!("documentation/nothing_arrives.md")]
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `rustls` | yes | https by rustls with ring and bundled roots |
//! | `native-tls` | | https by the platform's library; used if `rustls` is off |
//! | `platform-verifier` | | rustls with the platform's certificates |
//! | `gzip` | yes | gzip and deflate for request bodies |
//! | `brotli`, `zstd` | | these codecs, for PostHog's v1 protocol |
//! | `tokio` | | `Context::in_task`: a request context that follows a task |
//! | `clap` | | [`cli`]: arguments and verbs for tools that use clap |
//! | `ctrlc` | | [`cli`]: reports a command that is interrupted by Ctrl-C |
//! | `tower` | | the module `tower`: layers that create that context from a request, and capture an event for each |
//! | `yaml` | yes | deployment parameters in YAML |
//! | `toml` | yes | policy and project files in TOML |
//! | `derive` | yes | the derive macros |
//! | `spool` | yes | events on disk that survive the process |
//!
//! Without a TLS feature the crate builds, but an https endpoint is refused with an error that names the features.

#![cfg_attr(docsrs, feature(doc_cfg))]

// The derives refer to this crate by its name, even in its own tests.
#[cfg(test)]
extern crate self as candor;

mod capture;
mod catalogue;
pub mod cli;
mod client;
mod clock;
mod config;
pub mod consent;
mod deliver;
#[cfg(feature = "derive")]
mod derives;
mod document;
pub mod encode;
mod error;
mod event;
mod field;
mod global;
mod json;
mod observe;
mod panic;
mod printable;
mod queue;
pub mod schema;
mod settings;
pub mod testing;
mod timestamp;
#[cfg(feature = "tower")]
pub mod tower;
pub mod transport;
pub mod wire;

pub use capture::{ContextGuard, Sampling};
pub use catalogue::Catalogue;
pub use client::{Client, Flushed, Preview, status};
pub use config::Config;
pub use consent::declaration::{Consent, Notice};
pub use deliver::{Delivered, DeliveryError};
#[cfg(feature = "derive")]
pub use derives::{Event, Label, Properties};
pub use error::{Error, ErrorKind, Result};
pub use event::{Context, DynamicEvent, Event, OutgoingEvent};
pub use field::{Count, Hashed, Histogram, Label, Properties, PseudonymKey};
pub use global::{
    Guard, alias, capture, client, flush, group_identify, identify, init, init_or_disabled, opt_in, opt_out,
    preview, set_person, set_person_once, shutdown, stats, unset_person,
};
pub use observe::{LossReason, Stats};
pub use settings::{Env, Overflow, Sending, Spool};
pub use timestamp::Timestamp;
pub use wire::codec::Compression;
pub use wire::protocol::Protocol;

#[doc(hidden)]
pub use event::private as __private;
#[doc(hidden)]
pub use global::admits_event;

/// Guides: how to use candor, and how it works. There is no code here.
pub mod _documentation {
    #[doc = include_str!("documentation/guide.md")]
    pub mod guide {}

    #[doc = include_str!("documentation/consent.md")]
    pub mod consent {}

    #[doc = include_str!("documentation/privacy.md")]
    pub mod privacy {}

    #[doc = include_str!("documentation/design.md")]
    pub mod design {}

    #[doc = include_str!("documentation/migrating_from_posthog_rs.md")]
    pub mod migrating_from_posthog_rs {}

    #[doc = include_str!("../CHANGELOG.md")]
    #[allow(rustdoc::broken_intra_doc_links, reason = "a heading in brackets is a version, not a link")]
    pub mod changelog {}
}

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
