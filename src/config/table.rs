//! The table of all settings that the docs of `Config` begin with, built from the defaults.
//! `CANDOR_RENEW=1 cargo test --lib config::table` writes it anew.

use std::collections::BTreeSet;
use std::fmt::{Display, Write};
use std::time::Duration;

use super::Config;
use crate::settings::defaults;

/// A setting: its method, its variable, its default as the code has it, and what it protects.
type Setting = (&'static str, &'static str, fn(&Config) -> String, &'static str);

const CONSENT: &str = "`DO_NOT_TRACK`, `<APP>_TELEMETRY`, `<APP>_TELEMETRY_ENABLED`, `<APP>_TELEMETRY_DISABLED`, `<APP>_TELEMETRY_OPTOUT`, `<APP>_NO_TELEMETRY`, `CI`";

/// Every setting, by what it is about.
const SETTINGS: &[(&str, &[Setting])] = &[
    (
        "Where events go",
        &[
            (
                "endpoint",
                "",
                |it| or(it.endpoint.is_some(), "none: disabled"),
                "data from a receiver that nobody chose",
            ),
            ("api_key", "", |it| or(it.api_key.is_some(), "none"), "events from being rejected"),
            ("posthog_eu", "", |it| or(it.endpoint.is_some(), "-"), "see `endpoint` and `api_key`"),
            ("posthog_us", "", |it| or(it.endpoint.is_some(), "-"), "see `endpoint` and `api_key`"),
            ("protocol", "", |it| format!("`{:?}`", it.protocol), "compatibility with every PostHog server"),
            (
                "envelope",
                "",
                |it| or(it.envelope.is_some(), "the protocol's"),
                "an endpoint of your own, by its limits",
            ),
            ("transport", "", |it| or(it.transport.is_some(), "HTTP"), "tests from the network"),
            ("header", "", |it| or(!it.http.headers.is_empty(), "none"), "tokens: values are never printed"),
            ("compression", "", |it| format!("`{:?}`", it.compression), "bandwidth"),
        ],
    ),
    (
        "What may be sent",
        &[
            ("consent", CONSENT, |it| format!("`{:?}`", it.facts().consent.mode), "the user's decision"),
            ("catalogue", "", |it| or(it.catalogue.is_some(), "none"), "the promise of what is sent"),
            (
                "strict",
                "",
                |it| it.allowed.is_strict.to_string(),
                "users from events that the catalogue does not list",
            ),
            (
                "dynamic_properties",
                "",
                |it| or(it.allowed.dynamic.is_some(), "all names"),
                "users from properties that nobody declared",
            ),
            (
                "pseudonym_key",
                "",
                |it| or(it.pseudonyms.is_some(), "none: left out"),
                "the people behind `keyed` fields",
            ),
            ("geoip_disable", "", |it| it.geoip_disable.to_string(), "the sender's location"),
            (
                "is_server",
                "",
                |it| kit(it.says_server(), for_tools().says_server()),
                "person profiles from servers",
            ),
            ("before_send", "", |it| or(!it.hooks.is_empty(), "none"), "whatever your hook removes"),
            ("sample", "", |it| or(it.sampling.is_some(), "all events"), "the budget of events"),
            ("group", "", |it| or(!it.groups.is_empty(), "none"), "-"),
            ("super_property", "", |it| or(!it.super_properties.is_empty(), "none"), "-"),
            ("library", "", |it| format!("`{}`", it.library.0), "-"),
            (
                "historical_migration",
                "",
                |it| it.historical_migration.to_string(),
                "an import from PostHog's limits",
            ),
        ],
    ),
    (
        "Batches and memory",
        &[
            ("flush_at", "", |it| count(it.batching.flush_at), "the endpoint from many small requests"),
            (
                "flush_bytes",
                "",
                |it| bytes(it.batching.flush_bytes),
                "batches of large events from being split",
            ),
            ("flush_interval", "", |it| time(it.batching.interval), "events from waiting for a full batch"),
            ("queue_events", "", |it| count(it.batching.queue_events), "memory during an outage"),
            ("queue_bytes", "", |it| bytes(it.batching.queue_bytes), "memory during an outage"),
            (
                "event_bytes",
                "",
                |it| bytes(it.batching.event_bytes),
                "a batch from an event that PostHog rejects",
            ),
            ("batch_bytes", "", |it| bytes(it.batching.batch_bytes), "the memory of a request"),
            ("overflow", "", |it| format!("`{:?}`", it.batching.overflow), "the caller from waiting"),
        ],
    ),
    (
        "Outages and the exit",
        &[
            ("max_retries", "", |it| or(it.retry.max_retries.is_some(), "no limit"), "the endpoint"),
            (
                "retry_delays",
                "",
                |it| format!("{}, {}", time(it.retry.base), time(it.retry.max_delay)),
                "the endpoint when it comes back",
            ),
            ("retry_for", "", |it| time(it.retry.max_age), "the endpoint from events too old to matter"),
            ("retry_bytes", "", |it| bytes(it.retry.waiting_bytes), "memory during an outage"),
            (
                "spool",
                "",
                |it| or(it.spool.is_some(), "none; `Spool::cli` with `cli::Telemetry` and `kept_on_disk`"),
                "events from the end of the process",
            ),
            ("no_spool", "", |it| it.has_chosen_spool.to_string(), "the disk"),
            ("request_timeout", "", |it| time(it.http.total), "the worker from a slow endpoint"),
            ("connect_timeout", "", |it| time(it.http.connect), "the worker from an unreachable endpoint"),
            ("read_timeout", "", |it| time(it.http.read), "the worker from an endpoint that hangs"),
            ("shutdown_timeout", "", |it| kit(exit(it), exit(&for_tools())), "the program's exit"),
            (
                "short_lived",
                "",
                |it| kit(it.is_short_lived, for_tools().is_short_lived),
                "the exit of a command",
            ),
        ],
    ),
    (
        "Seeing what happens",
        &[
            (
                "debug",
                "`<APP>_TELEMETRY_LOG`",
                |it| it.debug.to_string(),
                "you from surprises: prints what is sent",
            ),
            ("dry_run", "", |it| it.dry_run.to_string(), "real data from your experiments"),
            (
                "sent_log",
                "",
                |it| kit(it.keeps_sent_log(), for_tools().keeps_sent_log()),
                "the user's right to see what was sent",
            ),
            ("on_error", "", |_| "none".to_owned(), "you from losses that nobody notices"),
            ("env", "", |it| or(it.env.is_some(), "the process's own"), "tests from the real environment"),
        ],
    ),
];

/// Writes a default in words, unless it turns out to be set.
fn or(is_set: bool, default: &str) -> String {
    if is_set { "set".to_owned() } else { default.to_owned() }
}

/// Writes a default, and the one of the command-line kit.
fn kit(default: impl Display, with_kit: impl Display) -> String {
    format!("{default}; {with_kit} with `cli::Telemetry`")
}

fn exit(config: &Config) -> String {
    time(config.shutdown_timeout.unwrap_or(defaults::SHUTDOWN))
}

/// What the command-line kit changes.
fn for_tools() -> Config {
    let mut config = Config::new("app", "1.0");
    config.suit_a_tool();
    config
}

/// Writes a number with commas.
fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn bytes(number: usize) -> String {
    if number.is_multiple_of(1 << 20) {
        format!("{} MiB", number >> 20)
    } else {
        format!("{} KiB", number >> 10)
    }
}

fn time(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        seconds => format!("{seconds} s"),
    }
}

fn table() -> String {
    let config = Config::new("app", "1.0");
    let mut text = "| setting | default | what it protects | variable |\n|---|---|---|---|\n".to_owned();
    for (heading, settings) in SETTINGS {
        let _ = writeln!(text, "| **{heading}** | | | |");
        for (name, variable, default, protects) in *settings {
            let default = default(&config);
            let _ =
                writeln!(text, "| [`{name}`](crate::Config::{name}) | {default} | {protects} | {variable} |");
        }
    }
    text
}

#[test]
fn the_table_in_the_docs_is_the_one_of_the_code() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/src/documentation/settings.md");
    let table = table();
    assert!(!table.contains("| set |"), "a default that is set: {table}");
    if std::env::var_os("CANDOR_RENEW").is_some() {
        std::fs::write(page, &table).unwrap();
    }
    let written = std::fs::read_to_string(page).unwrap_or_default();
    assert_eq!(written.replace("\r\n", "\n"), table, "run this test with CANDOR_RENEW=1");
}

#[test]
fn the_table_has_every_setter_and_no_other() {
    let code = include_str!("../config.rs").split("#[cfg(test)]\nmod tests").next().unwrap();
    // A setter takes the configuration and gives it back; some spread over lines.
    let functions = code.split("    pub fn ").skip(1).filter_map(|text| {
        let (name, rest) = text.split_once(['(', '<'])?;
        let head = rest.split('{').next()?;
        (head.contains("self") && head.contains("-> Self")).then_some(name)
    });
    let functions: BTreeSet<&str> = functions.collect();
    let listed: Vec<&str> =
        SETTINGS.iter().flat_map(|(_, settings)| settings.iter()).map(|setting| setting.0).collect();
    assert_eq!(listed.len(), functions.len(), "a setting is listed twice");
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), functions);
}

#[test]
fn a_changed_default_changes_the_table() {
    let config =
        Config::new("app", "1.0").flush_at(7_000).flush_interval(Duration::from_millis(250)).strict();
    let rows: Vec<&Setting> = SETTINGS.iter().flat_map(|(_, settings)| settings.iter()).collect();
    let default = |name: &str, config: &Config| rows.iter().find(|row| row.0 == name).unwrap().2(config);
    assert_eq!(default("flush_at", &config), "7,000");
    assert_eq!(default("flush_interval", &config), "250 ms");
    assert_eq!(default("strict", &config), "true");
    let plain = Config::new("app", "1.0");
    assert_eq!(default("flush_at", &plain), count(defaults::FLUSH_AT));
    assert_eq!(default("queue_bytes", &plain), bytes(defaults::QUEUE_BYTES));
    assert_eq!(default("retry_for", &plain), time(defaults::RETRY_AGE));
    assert_eq!(default("request_timeout", &plain), time(defaults::TIMEOUT_TOTAL));
}
