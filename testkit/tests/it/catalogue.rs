//! The catalogue: its page, its schemas, its notice, and the check that keeps them current.

use std::path::{Path, PathBuf};
use std::process::Command;

use candor::testing::assert_catalogue;
use candor::{Catalogue, Event};
use serde_json::Value;

use testkit::larder::{CATALOGUE, samples};
use testkit::schemas::Schema;

fn in_package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_committed_page_is_current() {
    assert_catalogue(in_package("src/larder/TELEMETRY.md"), &CATALOGUE);
}

#[test]
fn the_committed_schemas_are_current() {
    let path = in_package("tests/fixtures/catalogue/batch.schema.json");
    let committed = std::fs::read_to_string(&path).expect("the schema");
    let hint = "renew it: cargo run --example catalogue -- --json-schema, and take `batch`";
    let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    assert_eq!(parse(&committed), parse(&CATALOGUE.batch_schema()), "{hint}");
}

#[test]
fn the_notice_names_purpose_address_and_how_to_turn_it_off() {
    assert_eq!(
        CATALOGUE.notice(),
        "Larder sends 3 kinds of events to https://t.larder.example, to see how it is used, to see what fails and \
         to see which versions are in use.\n\
         Identifiers are hashed: the events are pseudonymous, not anonymous.\n\
         Some values are sent as they are; the full list shows which ones and why.\n\
         Events are deleted after 365 days.\n\
         To turn it off: Set `LARDER_TELEMETRY=0` or `DO_NOT_TRACK=1`. Or: Run `larder telemetry off`.\n\
         Everything that is sent: https://larder.example/telemetry"
    );
}

#[test]
fn every_example_of_the_page_satisfies_its_schema() {
    let page = CATALOGUE.markdown();
    let examples: Vec<Value> = page
        .split("```json\n")
        .skip(1)
        .map(|rest| serde_json::from_str(rest.split("```").next().expect("an end")).expect("JSON"))
        .collect();
    assert_eq!(examples.len(), CATALOGUE.events().len());
    for example in examples {
        let name = example["event"].as_str().expect("a name");
        Schema::new(&CATALOGUE.event_schema(name).expect("a schema")).assert_admits(&example);
    }
}

#[test]
fn a_schema_refuses_what_is_not_declared() {
    let schema = Schema::new(&CATALOGUE.event_schema("backup finished").expect("a schema"));
    let preview = candor::preview(&samples::backup_finished()).expect("bytes");
    let event: Value = serde_json::from_slice(preview.event()).expect("JSON");
    assert!(schema.admits(&event));
    let wrong = [
        ("text", Value::from("free")),
        ("trigger", Value::from("by accident")),
        ("ci", Value::from(true)),
        ("plan", Value::from("/home/ada")),
        ("owned_by", Value::from("ada")),
        ("files", Value::from(12)),
        ("bytes", Value::from(-1)),
        ("methods", Value::from(vec!["GZIP"; 5])),
    ];
    for (name, value) in wrong {
        let mut changed = event.clone();
        changed["properties"][name] = value;
        assert!(!schema.admits(&changed), "{name}");
    }
    let mut incomplete = event;
    incomplete["properties"].as_object_mut().expect("properties").remove("encrypted");
    assert!(!schema.admits(&incomplete));
}

#[test]
fn unsalted_hashes_are_called_pseudonymous_and_never_anonymous() {
    for text in [CATALOGUE.markdown(), CATALOGUE.notice()] {
        assert!(text.contains("pseudonymous, not anonymous"), "{text}");
        assert_eq!(text.matches("anonymous").count(), 1, "{text}");
    }
}

/// A draft.
#[derive(Event)]
#[event(name = "draft", distinct_id = "tool")]
struct Draft {
    /// A size.
    size: u8,
}

mod later {
    /// A draft, in other words.
    #[derive(candor::Event)]
    #[event(name = "draft", distinct_id = "tool", since = "2.0")]
    pub(super) struct Reworded {
        /// The size of the draft.
        size: u8,
    }

    /// A draft.
    #[derive(candor::Event)]
    #[event(name = "draft", distinct_id = "tool")]
    pub(super) struct Widened {
        /// A size.
        size: u8,
        /// A flag.
        flag: bool,
    }

    #[derive(candor::Event)]
    #[event(name = "silent", distinct_id = "tool")]
    pub(super) struct Silent {}
}

const DRAFT: Catalogue = candor::events![Draft];

/// Returns the message with which `assert_catalogue` fails, or an empty string if it passes.
fn complaint(path: &Path, catalogue: &'static Catalogue) -> String {
    let path = path.to_owned();
    let outcome = std::panic::catch_unwind(move || assert_catalogue(path, catalogue));
    outcome.err().and_then(|panic| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// If this run renews pages, runs the test again in a child process that does not. Returns whether it did.
fn ran_without_renewal(test: &str) -> bool {
    if std::env::var_os("CANDOR_RENEW").is_none() {
        return false;
    }
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", test])
        .env_remove("CANDOR_RENEW")
        .output()
        .expect("a child");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    true
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("catalogue");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    // An earlier run may have left it behind.
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn a_missing_or_outdated_page_fails_with_how_to_renew_it() {
    const REWORDED: Catalogue = candor::events![later::Reworded];
    if ran_without_renewal("catalogue::a_missing_or_outdated_page_fails_with_how_to_renew_it") {
        return;
    }
    let path = scratch("old.md");
    let told = complaint(&path, &DRAFT);
    assert!(told.contains("does not exist") && told.contains("CANDOR_RENEW=1 cargo test"), "{told}");
    std::fs::write(&path, DRAFT.markdown().replace('\n', "\r\n")).expect("a page");
    assert_eq!(complaint(&path, &DRAFT), "");
    let told = complaint(&path, &REWORDED);
    assert!(told.contains("differs from the code at line") && told.contains("CANDOR_RENEW=1"), "{told}");
    assert!(told.contains("A draft, in other words."), "{told}");
}

#[test]
fn a_change_in_what_is_sent_needs_a_new_version_of_the_notice() {
    const SAME: Catalogue = candor::events![later::Widened];
    const RAISED: Catalogue = candor::events![later::Widened].notice_version(2);
    if ran_without_renewal("catalogue::a_change_in_what_is_sent_needs_a_new_version_of_the_notice") {
        return;
    }
    let path = scratch("same.md");
    std::fs::write(&path, DRAFT.markdown()).expect("a page");
    let told = complaint(&path, &SAME);
    assert!(told.contains("what is sent has changed") && told.contains(".notice_version(2)"), "{told}");
    let told = complaint(&path, &RAISED);
    assert!(told.contains("differs from the code"), "{told}");
    std::fs::write(&path, RAISED.markdown()).expect("a page");
    assert_eq!(complaint(&path, &RAISED), "");
    assert!(complaint(&path, &SAME).contains("has version 2 of the notice, but the code has version 1"));
}

#[test]
fn a_fingerprint_covers_what_is_sent_but_not_its_descriptions() {
    const REWORDED: Catalogue = candor::events![later::Reworded].retention("Longer.").turn_off(&["No."]);
    const WIDENED: Catalogue = candor::events![later::Widened];
    const ELSEWHERE: Catalogue = candor::events![Draft].endpoint("https://elsewhere.example");
    const SHARED: Catalogue = candor::events![Draft].recipients(&[("Somebody", "something")]);
    const GROUPED: Catalogue = candor::events![Draft].groups(&[("company", "its name")]);
    assert_eq!(DRAFT.fingerprint(), REWORDED.fingerprint());
    for changed in [WIDENED, ELSEWHERE, SHARED, GROUPED] {
        assert_ne!(DRAFT.fingerprint(), changed.fingerprint());
    }
}

#[test]
fn an_event_without_a_description_is_refused() {
    const SILENT: Catalogue = candor::events![later::Silent, Draft, later::Widened];
    let told = complaint(&scratch("silent.md"), &SILENT);
    assert!(
        told.contains("`silent` has no doc comment") && told.contains("two events are named `draft`"),
        "{told}"
    );
}

#[test]
fn a_library_s_events_are_part_of_the_application_s_catalogue() {
    const LIBRARY: Catalogue = candor::events![later::Widened].product("Library");
    const NOTHING: Catalogue = candor::events![];
    const OWN: Catalogue = candor::events![Sampled];
    const ALL: Catalogue = candor::events![Sampled, ..LIBRARY, ..NOTHING].product("Tool");
    const ONLY: Catalogue = candor::events![..LIBRARY];
    let names =
        |catalogue: Catalogue| catalogue.events().iter().map(|event| event.name()).collect::<Vec<_>>();
    assert_eq!(names(ALL), ["sampled", "draft"]);
    assert_eq!((names(ONLY), ONLY.fingerprint()), (vec!["draft"], LIBRARY.fingerprint()));
    assert_eq!(ALL.event_schema("draft"), LIBRARY.event_schema("draft"));
    assert_ne!(ALL.fingerprint(), OWN.fingerprint());
    assert!(
        ALL.markdown().contains("### draft")
            && ALL.markdown().contains("Tool sends the 2 kinds of events below")
    );
    assert!(!complaint(&scratch("library.md"), &ALL).contains("incomplete"));

    const TWICE: Catalogue = candor::events![Draft, ..LIBRARY,];
    let told = complaint(&scratch("twice.md"), &TWICE);
    assert!(told.contains("two events are named `draft`"), "{told}");
}

/// A sample was taken.
#[derive(candor::Event)]
#[event(name = "sampled", distinct_id = "tool")]
struct Sampled {}

mod kinds {
    use std::collections::BTreeMap;

    /// A rule.
    #[derive(PartialEq, Eq, PartialOrd, Ord, candor::Label)]
    #[label(pattern = "LAR-[0-9]{3}", max = 7)]
    pub(super) struct Rule(&'static str);

    /// Rules fired.
    #[derive(candor::Event)]
    #[event(name = "rules fired")]
    pub(super) struct Fired {
        /// Who was warned.
        #[event(distinct_id, keyed = "usr")]
        warned: &'static str,
        /// How long each rule took, in milliseconds.
        rules_ms: BTreeMap<Rule, u32>,
    }
}

#[test]
fn a_page_reads_well_with_one_event_with_none_and_without_a_product_name() {
    const NONE: Catalogue = candor::events![];
    let page = DRAFT.markdown();
    assert!(page.starts_with("# Telemetry of this program\n"), "{page}");
    let one = "the source code of this program, and a test fails if they differ. This program sends the one \
               kind of event below and nothing else.";
    assert!(page.contains(one), "{page}");
    assert!(NONE.markdown().contains("This program sends no events. This is"), "{}", NONE.markdown());
    assert!(DRAFT.notice().starts_with("This program sends one kind of event to see how it is used."));
    assert!(NONE.notice().starts_with("This program sends no events.\n"), "{}", NONE.notice());
}

#[test]
fn a_page_describes_maps_and_distinct_ids_correctly() {
    const FIRED: Catalogue = candor::events![kinds::Fired];
    let page = FIRED.markdown();
    let row = |name: &str| page.lines().find(|line| line.starts_with(&format!("| `{name}`"))).expect("a row");
    assert!(row("rules_ms").ends_with("| other words are dropped |"), "{page}");
    assert!(!row("distinct_id").contains("may be absent"), "an event without one is not sent: {page}");
}

/// The variable with the path of the page for the child of the next test.
const PAGE: &str = "CANDOR_TEST_PAGE";

#[test]
#[ignore = "run as a child by the next test"]
fn child_that_renews() {
    let path = std::env::var_os(PAGE).expect("a path");
    assert_catalogue(PathBuf::from(path), &DRAFT);
}

#[test]
fn a_page_is_renewed_on_request_unless_the_notice_needs_a_new_version() {
    let renew = |path: &Path| {
        let output = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "catalogue::child_that_renews", "--ignored"])
            .env("CANDOR_RENEW", "1")
            .env(PAGE, path)
            .output()
            .expect("a child");
        output.status.success()
    };
    let path = scratch("renewed.md");
    assert!(renew(&path));
    assert_eq!(std::fs::read_to_string(&path).expect("a page"), DRAFT.markdown());
    // A page with other events and the same version of the notice is not changed.
    let other = CATALOGUE.markdown();
    std::fs::write(&path, &other).expect("a page");
    assert!(!renew(&path));
    assert_eq!(std::fs::read_to_string(&path).expect("a page"), other);
}

#[test]
fn the_page_and_notice_mention_the_spool() {
    const PLAIN: Catalogue = candor::events![];
    const KEPT: Catalogue = PLAIN.kept_on_disk();
    let says = "kept on this machine for up to 7 days";
    assert!(KEPT.markdown().contains(says) && KEPT.notice().contains(says));
    assert!(!PLAIN.markdown().contains(says) && !PLAIN.notice().contains(says));
    assert_eq!(KEPT.fingerprint(), PLAIN.fingerprint());
}
