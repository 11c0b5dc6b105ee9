//! Product analytics that ask first.
//!
//! Server applications and command-line tools call [`capture`]; a background worker batches the events
//! and delivers them to PostHog, or to the vendor's own endpoint, in PostHog's batch form. A consent gate
//! decides first: where the person, the project or the deployment said no, nothing exists: no thread, no
//! socket, no file, no byte.

mod capture;
mod client;
mod clock;
mod config;
pub mod consent;
mod deliver;
mod error;
mod event;
mod global;
mod observe;
pub mod testing;
mod transport;
mod wire;

pub use capture::Sampling;
pub use client::{Client, Config, Flushed, status};
pub use config::{Account, CiPolicy, Compression, Consent, Env, Mode, Notice, Overflow, Subject};
pub use consent::{ConsentState, Granted, Status};
pub use deliver::DeliveryError;
pub use error::{Error, ErrorKind, Result};
pub use event::{DynamicEvent, Encoder, Event, EventView, Flaw, Record, Timestamp};
pub use global::{Guard, capture, client, flush, init, opt_in, opt_out, shutdown, stats};
pub use observe::{LossReason, Stats};
pub use transport::{Answer, Request, SendError, Transport, TransportFactory};
pub use wire::{Attempt, BatchInfo, Envelope, EventResult, PostHogBatch, Response, Verdict, WireEvent};

#[doc(hidden)]
pub use global::open_client;

/// The examples of the README are compiled like all others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
