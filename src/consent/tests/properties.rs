//! What holds for any input: random input never grants, an addition never lifts a denial, and order does not
//! matter.
//!
//! These tests never touch a file.

use std::ffi::OsString;

use proptest::prelude::*;

use super::super::decide::{ConsentState, combine, decide};
use super::super::finding::{Finding, Vote};
use super::super::inputs::{FileState, Inputs, ReadFailure, Source};
use super::super::layers::Layer;
use super::super::report::LayerReport;
use super::super::switch::{Reading, SwitchKind, parse_switch};
use super::{NOW, documented, facts, inputs};
use crate::consent::account::Account;
use crate::consent::declaration::{CiPolicy, Consent, Mode, Subject};
use crate::settings::Env;

const NAMES: [&str; 7] = [
    "DO_NOT_TRACK",
    "MY_TOOL_TELEMETRY_DISABLED",
    "MY_TOOL_NO_TELEMETRY",
    "MY_TOOL_TELEMETRY_OPTOUT",
    "MY_TOOL_TELEMETRY",
    "MY_TOOL_TELEMETRY_ENABLED",
    "OLD_NAME",
];

fn value() -> impl Strategy<Value = OsString> {
    prop_oneof![
        prop::sample::select(vec!["", "0", "1", "true", "false", "on", "off", "enabled", "disabled", "treu"])
            .prop_map(OsString::from),
        prop::collection::vec(1_u8.., 0..40).prop_map(os_string),
    ]
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes)
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> OsString {
    OsString::from(String::from_utf8_lossy(&bytes).into_owned())
}

fn file() -> impl Strategy<Value = FileState> {
    let texts = vec![
        "{}",
        "{\"telemetry\":{\"enabled\":true}}",
        "{\"telemetry\":{\"enabled\":false}}",
        "{\"telemetry\":{\"enabled\":\"no\"}}",
        "{\"managed_grant\":true}",
        "{\"deployment\":{\"parameters\":{\"AnalyticsDisabled\":\"true\"}}}",
        "{\"deployment\":{\"parameters\":{\"AnalyticsDisabled\":\"\"}}}",
    ];
    prop_oneof![
        Just(FileState::Missing),
        Just(FileState::Failed(ReadFailure::NotAllowed)),
        prop::sample::select(texts).prop_map(FileState::read),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(FileState::read),
    ]
}

#[derive(Clone, Debug)]
enum Addition {
    Variable(&'static str, OsString),
    Policy(FileState),
    Deployment(FileState),
    Project(FileState),
    Choice(FileState),
    Account(u8),
    Flag,
    Withdrawn,
}

fn addition() -> impl Strategy<Value = Addition> {
    prop_oneof![
        (prop::sample::select(NAMES.to_vec()), value()).prop_map(|(name, raw)| Addition::Variable(name, raw)),
        file().prop_map(Addition::Policy),
        file().prop_map(Addition::Deployment),
        file().prop_map(Addition::Project),
        file().prop_map(Addition::Choice),
        (0_u8..3).prop_map(Addition::Account),
        Just(Addition::Flag),
        Just(Addition::Withdrawn),
    ]
}

impl Addition {
    /// Adds a source if it is still free, and returns whether it was.
    fn add(self, inputs: &mut Inputs) -> bool {
        let put = |source: &mut Source, state: FileState| {
            let free = matches!(source.state, FileState::NotDeclared | FileState::Missing);
            if free {
                *source = Source::new("/a/file.json", state);
            }
            free
        };
        match self {
            Self::Variable(name, raw) => {
                let free = inputs.env.get(name).is_none();
                if free {
                    inputs.env = inputs.env.clone().with(name, raw);
                }
                free
            }
            Self::Policy(state) => put(&mut inputs.files.policy, state),
            Self::Deployment(state) => put(&mut inputs.files.deployment, state),
            Self::Project(state) => put(&mut inputs.files.project, state),
            Self::Choice(state) => put(&mut inputs.files.choice, state),
            Self::Account(answer) => {
                let account = [Account::allow, Account::deny, Account::unknown][usize::from(answer)]();
                let free = inputs.facts.consent.account.is_none();
                if free {
                    inputs.facts.consent.account = Some(account);
                }
                free
            }
            Self::Flag => {
                inputs.facts.consent.no_telemetry_flag = true;
                true
            }
            Self::Withdrawn => {
                inputs.runtime.withdrawn = true;
                true
            }
        }
    }
}

fn start(mode: u8, env_may_grant: bool) -> Inputs {
    let consent = match mode {
        0 => Consent::opt_in(),
        1 => documented(),
        _ => Consent::session().session_present(true),
    };
    let subjects = [Subject::Account, Subject::Project, Subject::User];
    let consent = subjects.into_iter().fold(consent, Consent::subject);
    inputs(consent.deny_env("OLD_NAME").env_may_grant(env_may_grant))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn random_bytes_never_grant(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let raw = os_string(bytes.iter().copied().filter(|byte| *byte != 0).collect());
        for kind in [SwitchKind::DoNotTrack, SwitchKind::Disabled, SwitchKind::LegacyString,
                     SwitchKind::Enabled { may_grant: false }] {
            prop_assert_ne!(parse_switch(kind, &raw), Reading::Grant);
        }
        for place in 0..4 {
            let mut inputs = start(0, true);
            let source = Source::new(["/p.toml", "/d.yml", "/p.json", "/c.json"][place], FileState::read(bytes.clone()));
            match place {
                0 => inputs.files.policy = source,
                1 => inputs.files.deployment = source,
                2 => inputs.files.project = source,
                _ => inputs.files.choice = source,
            }
            prop_assert_ne!(decide(&inputs).state(), ConsentState::Granted);
        }
    }

    #[test]
    fn random_values_of_denying_variables_never_turn_silence_into_a_grant(
        values in prop::collection::vec((0_usize..4, value()), 0..6),
    ) {
        let env = values.into_iter().fold(Env::empty(), |env, (name, raw)| env.with(NAMES[name], raw));
        let inputs = Inputs::new(facts(Consent::opt_in().env_may_grant(true)), env, NOW);
        prop_assert_ne!(decide(&inputs).state(), ConsentState::Granted);
    }

    #[test]
    fn adding_a_source_never_turns_a_denial_into_a_grant(
        mode in 0_u8..3,
        env_may_grant in any::<bool>(),
        additions in prop::collection::vec(addition(), 1..8),
    ) {
        let mut inputs = start(mode, env_may_grant);
        let mut before = decide(&inputs).state();
        for addition in additions {
            let text = format!("{addition:?}");
            if !addition.add(&mut inputs) {
                continue;
            }
            let after = decide(&inputs).state();
            prop_assert!(before != ConsentState::Denied || after == ConsentState::Denied, "{}", text);
            before = after;
        }
    }

    /// The denial in CI is a default: an explicit grant lifts it. A denial by anyone else stays, in CI as
    /// elsewhere.
    #[test]
    fn ci_only_ever_reduces(
        mode in 0_u8..3,
        env_may_grant in any::<bool>(),
        additions in prop::collection::vec(addition(), 0..8),
    ) {
        let mut inputs = start(mode, env_may_grant);
        for addition in additions {
            addition.add(&mut inputs);
        }
        let outside = decide(&inputs).state();
        inputs.env = inputs.env.with("CI", "true");
        let inside = decide(&inputs).state();
        prop_assert!(inside == outside || inside == ConsentState::Denied);
        inputs.facts.consent.ci = CiPolicy::Allow;
        prop_assert_eq!(decide(&inputs).state(), outside);
    }

    #[test]
    fn the_order_of_the_layers_does_not_matter(
        votes in prop::collection::vec(0_u8..3, 13),
        order in Just((0_usize..13).collect::<Vec<_>>()).prop_shuffle(),
        mode in 0_u8..3,
    ) {
        let layers = [
            Layer::Build, Layer::Universal, Layer::AppEnv, Layer::Flag, Layer::MachinePolicy, Layer::Account,
            Layer::Deployment, Layer::Project, Layer::User, Layer::Preconditions, Layer::Environment,
            Layer::Runtime, Layer::Mode,
        ];
        let vote = |code: u8| [Vote::Deny, Vote::Grant, Vote::Abstain][usize::from(code)];
        let reports: Vec<_> = layers.into_iter().zip(&votes)
            .map(|(layer, code)| LayerReport::new(layer, Finding::new(vote(*code), "", ""))).collect();
        let shuffled: Vec<_> = order.into_iter().map(|index| reports[index].clone()).collect();
        let mode = [Mode::OptIn, Mode::OptOut, Mode::Session][usize::from(mode)];
        let (state, _) = combine(&reports, mode);
        prop_assert_eq!(state, combine(&shuffled, mode).0);
        if reports.iter().any(|report| report.vote == Vote::Deny) {
            prop_assert_eq!(state, ConsentState::Denied);
        }
    }
}
