//! The program: one run of a server, with the telemetry settings of its deployment file, which it never writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use candor::consent::ConsentState;
use candor::{Client, Config, Consent, Event, Notice, Protocol, Spool};

use super::catalogue::{CATALOGUE, EDGE};
use super::events::{
    Deployment, DeploymentInfo, GroupType, IdentityProvider, RequestCreated, RequestReviewed, RequestRevoked,
    Review, Role, RuleArchived, RuleCreated, RuleUpdated, Stage, Timing, TimingMode, User, UserInfo,
};
use crate::systems::edge::Edge;
use crate::systems::program::{Options, Program, story_dir, text};

/// The file in which the operator of the server configures it.
pub const DEPLOYMENT_FILE: &str = "granted-deployment.yml";

/// Returns the settings of the vendor's own client: small batches, short waits and 10 retries. What the edge does not
/// take is kept in the state directory, if there is one, and sent once the edge is back, by this process or the next.
pub fn config(program: &Program<'_>, dir: &Path, url: Option<&str>) -> Config {
    let env = &program.env;
    let url = url.or(env.text("CF_ANALYTICS_URL")).unwrap_or("https://t.commonfate.io");
    let notice = Notice::documented("https://docs.commonfate.io/common-fate/telemetry");
    let consent = Consent::opt_out(notice)
        .notice_version(CATALOGUE.version())
        .deny_env("CF_ANALYTICS_DISABLED")
        .deployment_file(dir.join(DEPLOYMENT_FILE));
    Config::new("common-fate", "0.9.0")
        .env(env.clone())
        .consent(program.declare(consent))
        .endpoint(url)
        .protocol(Protocol::Legacy)
        .library("cf-analytics-go", "dev")
        // The vendor's edge sets this property when it forwards events.
        .geoip_disable(false)
        .group("deployment", "dep_123")
        .catalogue(CATALOGUE)
        .strict()
        .debug(env.text("CF_ANALYTICS_LOG_LEVEL").is_some_and(|level| level.eq_ignore_ascii_case("debug")))
        .flush_at(3)
        .flush_interval(Duration::from_millis(50))
        .batch_bytes(500_000)
        .event_bytes(32_000)
        .request_timeout(Duration::from_secs(1))
        .max_retries(10)
        .retry_delays(Duration::from_millis(100), Duration::from_secs(10))
        .spool(Spool::server())
}

/// The person who asks for access, and the one who decides.
#[derive(Clone, Copy, Debug)]
pub struct People<'a> {
    pub requester: &'a str,
    pub reviewer: &'a str,
}

impl Default for People<'_> {
    fn default() -> Self {
        Self { requester: "usr_123", reviewer: "usr_234" }
    }
}

/// Calls `take` with each of the 8 events and its name in the vendor's catalogue.
pub fn all_events(people: People<'_>, take: &mut dyn FnMut(&str, &dyn Event)) {
    let People { requester, reviewer } = people;
    let hundred = Duration::from_secs(100);
    take(
        "cf:groupidentify:deployment",
        &DeploymentInfo {
            group: "$deployment_dep_123",
            kind: GroupType::Deployment,
            key: "dep_123",
            set: Deployment {
                group_count: 5,
                idp: IdentityProvider::Cognito,
                stage: Stage::Test,
                user_count: 10,
                version: "v0.9.0",
            },
        },
    );
    take(
        "cf:identify:user_info",
        &UserInfo { user: requester, set: User { available_rules: 1, group_count: 2, role: Role::Admin } },
    );
    take(
        "cf:request.created",
        &RequestCreated {
            access_groups_count: 3,
            has_reason: true,
            request_id: "req_123",
            requested_by: requester,
            targets_count: 6,
        },
    );
    take(
        "cf:request.reviewed",
        &RequestReviewed {
            access_group_id: "group_123",
            has_reason: true,
            override_timing: Some(Timing { duration: hundred / 2, mode: TimingMode::Scheduled }),
            pending: Duration::from_secs(200),
            request_id: "req_123",
            requested_by: requester,
            review: Review::Approve,
            reviewed_by: reviewer,
            reviewer_is_admin: true,
            targets_count: 4,
            timing: Timing { duration: hundred, mode: TimingMode::Asap },
        },
    );
    take(
        "cf:request.revoked",
        &RequestRevoked {
            access_group_count: 3,
            has_reason: true,
            request_id: "req_123",
            requested_by: requester,
            revoked_by: reviewer,
        },
    );
    rule_events(requester, take);
}

fn rule_events(who: &str, take: &mut dyn FnMut(&str, &dyn Event)) {
    let max_duration = Duration::from_secs(100);
    take("cf:rule.archived", &RuleArchived { archived_by: who, rule_id: "rul_123" });
    take(
        "cf:rule.created",
        &RuleCreated {
            created_by: who,
            has_filter_expression: true,
            max_duration,
            requires_approval: true,
            rule_id: "rul_123",
            targets: &["commonfate/test-provider@v1", "commonfate/test-provider2@v2"],
            targets_count: 2,
        },
    );
    take(
        "cf:rule.updated",
        &RuleUpdated {
            has_filter_expression: false,
            max_duration,
            requires_approval: true,
            rule_id: "rul_123",
            targets: &["commonfate/test-provider1@v2", "commonfate/test-provider2@v3"],
            targets_count: 2,
            updated_by: who,
        },
    );
}

/// Runs the program; returns its exit code.
pub fn run(program: &mut Program<'_>) -> u8 {
    let options = match Options::parse(&program.arguments) {
        Ok(options) => options,
        Err(wrong) => {
            program.complain(format_args!("common_fate: {wrong}"));
            return 2;
        }
    };
    if options.rest.iter().any(|argument| argument == "--page") {
        program.say(CATALOGUE.markdown().trim_end());
        return 0;
    }
    let ended = match (&options.url, &options.dir) {
        (None, None) => story(program),
        (url, dir) => {
            let dir = dir.clone().unwrap_or_else(|| PathBuf::from("."));
            day(program, &options, &dir, url.as_deref())
        }
    };
    if let Err(error) = ended {
        program.complain(format_args!("common_fate: {error}"));
        return 1;
    }
    0
}

/// One run of the server: it starts, captures the 8 events, and ends.
fn day(program: &mut Program<'_>, options: &Options, dir: &Path, url: Option<&str>) -> Result<(), String> {
    let given = url.or(program.env.text("CF_ANALYTICS_URL")).map(str::to_owned);
    // The embedded edge is only started if something will be sent.
    let granted = candor::status(&config(program, dir, None)).state == ConsentState::Granted;
    let edge = match given {
        None if !granted => None,
        Some(_) => None,
        None => {
            Some(Edge::start(EDGE, Some(&dir.join("collected.sqlite"))).map_err(|error| error.to_string())?)
        }
    };
    let url = given.or_else(|| edge.as_ref().map(Edge::url));
    let before = edge.as_ref().map_or(0, |edge| edge.rows().len());
    serve(program, options, dir, url.as_deref())?;
    for row in edge.iter().flat_map(Edge::rows).skip(before) {
        program.say(format_args!("stored: {} {}", row.event, row.record));
    }
    Ok(())
}

fn serve(program: &mut Program<'_>, options: &Options, dir: &Path, url: Option<&str>) -> Result<(), String> {
    let client = Client::new(config(program, dir, url)).map_err(|error| error.to_string())?;
    program.explain(&client);
    let first =
        |name: &str| options.rest.windows(2).find(|pair| pair[0] == name).map(|pair| pair[1].as_str());
    let people = People {
        requester: first("--requester").unwrap_or(People::default().requester),
        reviewer: first("--reviewer").unwrap_or(People::default().reviewer),
    };
    all_events(people, &mut |name, event| {
        client.capture(event);
        if let Some(Ok(preview)) = client.is_enabled().then(|| client.preview(&event)) {
            program.say(format_args!("captured: {name} {}", String::from_utf8_lossy(preview.event())));
        }
    });
    let done = client.shutdown(Duration::from_secs(5));
    program.account(&client, &done);
    Ok(())
}

/// The edge is away, and the server is restarted meanwhile; then a no meets what is kept on disk.
fn outage(program: &mut Program<'_>, dir: &Path, edge: &Edge, refusal: &str) -> Result<(), String> {
    for (title, is_away, file) in [
        ("The edge is away, and the server is stopped", true, None),
        ("It is started again while the edge is still away", true, None),
        ("It is started once more, and the edge is back", false, None),
        ("The edge is away again", true, None),
        ("The deployment says no, and what was kept goes", false, Some(refusal)),
    ] {
        program.say(format_args!("\n# {title}\n"));
        edge.set_away(is_away);
        if let Some(file) = file {
            fs::write(dir.join(DEPLOYMENT_FILE), file).map_err(|error| error.to_string())?;
        }
        serve(program, &Options::default(), dir, Some(&edge.url()))?;
        match candor::status(&config(program, dir, Some(&edge.url()))).spool {
            Some(kept) => program.say(format_args!("kept: {} events in {} files", kept.events, kept.files)),
            None => program.say("kept: nothing"),
        }
    }
    Ok(())
}

/// Runs the whole demonstration in a new directory.
fn story(program: &mut Program<'_>) -> Result<(), String> {
    let dir = story_dir("common-fate").map_err(|error| error.to_string())?;
    let edge = Edge::start(EDGE, Some(&dir.join("collected.sqlite"))).map_err(|error| error.to_string())?;
    let parameters =
        |entry: &str| format!("deployment:\n  parameters:\n    AdministratorEmail: ada@example.com\n{entry}");
    let chapters = [
        ("The deployment says nothing about telemetry", parameters("")),
        ("It asks to see what is sent", parameters("    AnalyticsLogLevel: \"debug\"\n")),
        ("It says no", parameters("    AnalyticsDisabled: \"true\"\n")),
        ("The entry is removed", parameters("")),
        ("The file is broken, which means no", "deployment: [".to_owned()),
    ];
    for (title, file) in chapters {
        program.say(format_args!("\n# {title}\n"));
        let path = dir.join(DEPLOYMENT_FILE);
        fs::write(&path, &file).map_err(|error| error.to_string())?;
        serve(program, &Options::default(), &dir, Some(&edge.url()))?;
        if fs::read_to_string(&path).ok().as_deref() != Some(&file) {
            return Err("the deployment file was changed".to_owned());
        }
    }
    fs::write(dir.join(DEPLOYMENT_FILE), parameters("")).map_err(|error| error.to_string())?;
    let env = program.env.clone();
    program.say("\n# A server where DO_NOT_TRACK is set\n");
    program.env = env.clone().with("DO_NOT_TRACK", "1");
    serve(program, &Options::default(), &dir, Some(&edge.url()))?;
    program.env = env.clone().with("XDG_STATE_HOME", dir.join("state"));
    outage(program, &dir, &edge, &parameters("    AnalyticsDisabled: \"true\"\n"))?;
    program.env = env;
    program.say(format_args!("\n# The edge has stored {} events", edge.rows().len()));
    program.say(format_args!(
        "\nlook at it with: sqlite3 {} 'select * from records'",
        text(&dir.join("collected.sqlite"))
    ));
    Ok(())
}
