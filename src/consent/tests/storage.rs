//! The files of the gate on a real disk: written, read, hostile, and changed by others.
//!
//! These tests write only to their own directories.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::super::choice::{Answer, Choice};
use super::super::decide::{ConsentState, decide};
use super::super::inputs::{Facts, FileState, ReadFailure, Runtime};
use super::super::layers::Layer;
use super::super::monitor::ConsentMonitor;
use super::super::places::{self, CHOICE_FILE, Platform, RECEIPT_FILE};
use super::super::project::write_project_answer;
use super::super::sources::{collect, read_file};
use super::super::store::Store;
use super::super::watch::FileWatch;
use super::{NOW, Scratch, documented, facts};
use crate::clock::Clock;
use crate::consent::declaration::{Consent, Notice, Subject};
use crate::error::ErrorKind;
use crate::settings::Env;

fn facts_in(dir: &Path, consent: Consent) -> Facts {
    facts(consent.state_dir(dir).policy_file(dir.join("policy.json")))
}

fn decided(facts: &Facts, now: u64) -> (ConsentState, Layer) {
    let decision = decide(&collect(facts.clone(), Env::empty(), Runtime::default(), now));
    (decision.state(), decision.decided_by())
}

fn store(facts: &Facts) -> Store {
    Store::open(facts, &Env::empty()).unwrap()
}

#[test]
fn a_choice_is_kept_and_only_the_user_reverses_it() {
    let scratch = Scratch::new();
    let facts = facts_in(&scratch.path().join("new/state"), Consent::opt_in());
    assert_eq!(decided(&facts, NOW), (ConsentState::Deferred, Layer::Mode));
    store(&facts).write_choice(Answer::Granted, &facts, NOW).unwrap();
    assert_eq!(decided(&facts, NOW), (ConsentState::Granted, Layer::User));
    assert_eq!(decided(&facts, NOW - 1), (ConsentState::Deferred, Layer::Mode));
    store(&facts).write_choice(Answer::Denied, &facts, NOW).unwrap();
    assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::User));
    let later = Facts { consent: facts.consent.clone().notice_version(9).catalogue("x"), ..facts.clone() };
    assert_eq!(decided(&later, NOW), (ConsentState::Denied, Layer::User));
    store(&facts).write_choice(Answer::Granted, &facts, NOW).unwrap();
    assert_eq!(decided(&facts, NOW), (ConsentState::Granted, Layer::User));
    assert_eq!(decided(&later, NOW), (ConsentState::Deferred, Layer::Mode));
}

#[test]
fn a_receipt_from_an_earlier_run_lets_the_next_one_send() {
    let scratch = Scratch::new();
    let facts = facts_in(scratch.path(), Consent::opt_out(Notice::shown("we count")));
    assert_eq!(decided(&facts, NOW), (ConsentState::Deferred, Layer::Mode));
    store(&facts).write_receipt(&facts, NOW).unwrap();
    assert_eq!(decided(&facts, NOW), (ConsentState::Granted, Layer::Mode));
    let text = fs::read_to_string(scratch.path().join(RECEIPT_FILE)).unwrap();
    let receipt: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(receipt["notice_version"], 1);
    assert_eq!(receipt["text_sha256"].as_str().unwrap().len(), 64);
    fs::write(scratch.path().join(RECEIPT_FILE), "{").unwrap();
    assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::Mode));
    assert_eq!(store(&facts).write_receipt(&facts, NOW).unwrap_err().kind(), ErrorKind::Storage);
}

#[test]
fn a_file_that_cannot_be_read_is_left_unchanged_until_it_is_set_aside() {
    let scratch = Scratch::new();
    let facts = facts_in(scratch.path(), Consent::opt_in());
    let path = scratch.path().join(CHOICE_FILE);
    fs::write(&path, "what?").unwrap();
    assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::User));
    let error = store(&facts).write_choice(Answer::Granted, &facts, NOW).unwrap_err();
    assert!(error.to_string().contains(CHOICE_FILE), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "what?");
    store(&facts).set_aside(&facts, 7).unwrap();
    // It may have been a refusal, so telemetry stays denied throughout.
    assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::User));
    assert_eq!(fs::read_to_string(scratch.path().join(format!("{CHOICE_FILE}.corrupt-7"))).unwrap(), "what?");
    store(&facts).set_aside(&facts, 8).unwrap();
    assert!(!scratch.path().join(format!("{CHOICE_FILE}.corrupt-8")).exists());
    store(&facts).write_choice(Answer::Granted, &facts, NOW).unwrap();
    assert_eq!(decided(&facts, NOW), (ConsentState::Granted, Layer::User));
}

#[test]
fn a_file_that_was_set_aside_is_never_overwritten_and_a_directory_is_set_aside_too() {
    let scratch = Scratch::new();
    let facts = facts_in(scratch.path(), Consent::opt_in());
    let (path, aside) =
        (scratch.path().join(CHOICE_FILE), scratch.path().join(format!("{CHOICE_FILE}.corrupt-7")));
    fs::write(&path, "first").unwrap();
    store(&facts).set_aside(&facts, 7).unwrap();
    fs::write(&path, "second").unwrap();
    assert_eq!(store(&facts).set_aside(&facts, 7).unwrap_err().kind(), ErrorKind::Storage);
    assert_eq!(fs::read_to_string(&path).unwrap(), "second");
    assert_eq!(fs::read_to_string(&aside).unwrap(), "first");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    store(&facts).set_aside(&facts, 8).unwrap();
    assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::User));
    assert!(scratch.path().join(format!("{CHOICE_FILE}.corrupt-8")).is_dir());
}

#[test]
fn only_regular_files_up_to_the_size_limit_are_read() {
    let scratch = Scratch::new();
    let path = scratch.path().join("file");
    assert_eq!(read_file(&path), FileState::Missing);
    assert_eq!(read_file(&path.join("below")), FileState::Missing);
    fs::write(&path, vec![b' '; 64 * 1024]).unwrap();
    assert!(matches!(read_file(&path), FileState::Read(_)));
    assert_eq!(read_file(&path.join("below")), FileState::Missing);
    fs::write(&path, vec![b' '; 64 * 1024 + 1]).unwrap();
    assert_eq!(read_file(&path), FileState::Failed(ReadFailure::TooLarge));
    assert_eq!(read_file(scratch.path()), FileState::Failed(ReadFailure::NotAFile));
}

#[test]
fn without_a_home_nothing_is_stored_and_nothing_is_malformed() {
    let facts = facts(Consent::opt_in().policy_file("/nowhere/policy.toml"));
    let decision = decide(&collect(facts.clone(), Env::empty(), Runtime::default(), NOW));
    assert_eq!(decision.state(), ConsentState::Deferred);
    let user = decision.layers().iter().find(|report| report.layer == Layer::User).unwrap();
    assert!(user.reason.contains("state directory"), "{}", user.reason);
    assert!(!user.malformed);
    assert_eq!(Store::open(&facts, &Env::empty()).unwrap_err().kind(), ErrorKind::Storage);
}

#[test]
fn an_empty_path_declares_no_file_and_a_relative_one_is_made_absolute() {
    let none = documented().deployment_file("").project_file("").policy_file("").state_dir("");
    let facts_of_none = facts(none);
    assert_eq!(decided(&facts_of_none, NOW), (ConsentState::Granted, Layer::Mode));
    assert!(Store::open(&facts_of_none, &Env::empty()).is_err());
    let relative = facts(documented().state_dir("a").project_file("b").deployment_file("c").policy_file("d"));
    let Consent { state_dir, project_file, deployment_file, policy_file, .. } = &relative.consent;
    for path in [state_dir, project_file, deployment_file, policy_file] {
        assert!(path.as_ref().unwrap().is_absolute(), "{path:?}");
    }
}

#[test]
fn a_home_that_is_not_a_directory_defers_and_stores_nothing() {
    let scratch = Scratch::new();
    let home = scratch.path().join("home");
    fs::write(&home, "").unwrap();
    let facts = facts_in(&home, Consent::opt_out(Notice::shown("we count")));
    assert_eq!(decided(&facts, NOW), (ConsentState::Deferred, Layer::Mode));
    assert!(store(&facts).write_receipt(&facts, NOW).is_err());
    assert!(store(&facts).write_choice(Answer::Granted, &facts, NOW).is_err());
    assert_eq!(decided(&facts, NOW), (ConsentState::Deferred, Layer::Mode));
}

#[test]
fn two_writers_leave_one_complete_answer_and_no_temporary_file() {
    let scratch = Scratch::new();
    let facts = Arc::new(facts_in(scratch.path(), Consent::opt_in()));
    let writers: Vec<_> = [Answer::Granted, Answer::Denied]
        .into_iter()
        .map(|answer| {
            let facts = Arc::clone(&facts);
            std::thread::spawn(move || {
                for _ in 0..50 {
                    store(&facts).write_choice(answer, &facts, NOW).unwrap();
                    let (state, by) = decided(&facts, NOW);
                    assert_eq!(by, Layer::User, "{state:?}");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let names: Vec<_> =
        fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [CHOICE_FILE]);
}

#[test]
#[cfg(unix)]
fn paths_follow_the_platform_unless_they_are_set_explicitly() {
    let env = Env::empty()
        .with("HOME", "/home/ann")
        .with("XDG_STATE_HOME", "/xdg/state")
        .with("LOCALAPPDATA", "/local")
        .with("ProgramData", "/program");
    let plain = facts(Consent::opt_in());
    let dir =
        |env: &Env, platform| places::state_dir(&plain, env, platform).map(|path| path.display().to_string());
    assert_eq!(dir(&env, Platform::Unix).unwrap(), "/xdg/state/my-tool");
    assert_eq!(dir(&env, Platform::Mac).unwrap(), "/home/ann/Library/Application Support/my-tool");
    let relative = env.clone().with("XDG_STATE_HOME", "state");
    assert_eq!(dir(&relative, Platform::Unix).unwrap(), "/home/ann/.local/state/my-tool");
    for empty in [Env::empty(), Env::empty().with("HOME", ""), Env::empty().with("HOME", "here")] {
        assert_eq!(dir(&empty, Platform::Unix), None);
    }
    assert_eq!(
        places::policy(&plain, &env, Platform::Unix).unwrap(),
        Path::new("/etc/my-tool/telemetry.toml")
    );
    let own = facts(Consent::opt_in().state_dir("/mine").policy_file("/policy.toml"));
    assert_eq!(places::state_dir(&own, &env, Platform::Unix).unwrap(), Path::new("/mine"));
    assert_eq!(places::policy(&own, &env, Platform::Unix).unwrap(), Path::new("/policy.toml"));
    for name in ["", "..", "a/b", "/abs", ".hidden", "a\\b"] {
        let strange = Facts::new(name, Consent::opt_in(), None);
        assert_eq!(places::state_dir(&strange, &env, Platform::Unix), None, "{name}");
        assert_eq!(places::policy(&strange, &env, Platform::Unix), None, "{name}");
    }
}

#[test]
fn a_change_by_another_process_is_detected() {
    let scratch = Scratch::new();
    let facts = facts_in(scratch.path(), Consent::opt_in());
    store(&facts).write_choice(Answer::Granted, &facts, NOW).unwrap();
    let watch = FileWatch::new(&facts, &Env::empty());
    // Long enough after the write that a coarse clock cannot hide a change.
    let later = SystemTime::now() + Duration::from_secs(60);
    assert!(!watch.changed(later));
    assert!(watch.changed(SystemTime::now()), "a file this recent may change under the same stamp");
    store(&facts).write_choice(Answer::Denied, &facts, NOW).unwrap();
    assert!(watch.changed(later));
}

#[test]
fn a_created_or_deleted_file_is_a_change() {
    let scratch = Scratch::new();
    let facts = facts_in(scratch.path(), Consent::opt_in());
    let later = SystemTime::now() + Duration::from_secs(60);
    let none = FileWatch::new(&facts, &Env::empty());
    assert!(!none.changed(later));
    fs::write(scratch.path().join("policy.json"), "{\"enabled\":false}").unwrap();
    assert!(none.changed(later));
    let one = FileWatch::new(&facts, &Env::empty());
    assert!(!one.changed(later));
    fs::remove_file(scratch.path().join("policy.json")).unwrap();
    assert!(one.changed(later));
}

#[test]
fn a_running_process_sees_another_ones_refusal_and_stays_off() {
    let scratch = Scratch::new();
    let facts = facts_in(scratch.path(), Consent::opt_in());
    let recheck = |monitor: &ConsentMonitor| {
        assert!(!monitor.may_send(0));
        monitor.state()
    };
    let monitor = |facts: &Facts| ConsentMonitor::new(facts.clone(), Env::empty(), Clock::System);
    let one = monitor(&facts);
    assert_eq!(one.state(), ConsentState::Deferred);
    assert_eq!(one.opt_in().unwrap().state(), ConsentState::Granted);
    let other = monitor(&facts);
    assert_eq!(other.state(), ConsentState::Granted);
    other.opt_out().unwrap();
    assert_eq!(other.state(), ConsentState::Denied);
    assert_eq!(recheck(&one), ConsentState::Denied);
    // The other's grant counts for a new process, but not for one that has been off in between.
    assert_eq!(other.opt_in().unwrap().state(), ConsentState::Granted);
    assert_eq!(recheck(&one), ConsentState::Denied);
    let status = one.status(false);
    assert_eq!((status.state, status.decided_by), (ConsentState::Denied, Layer::Runtime));
    assert_eq!(monitor(&facts).state(), ConsentState::Granted);
    other.stop(410);
    assert_eq!(other.decision().decided_by(), Layer::Runtime);
    assert_eq!(other.opt_in().unwrap().state(), ConsentState::Denied);
}

#[test]
fn a_refusal_between_two_checks_counts_even_if_a_grant_followed() {
    let scratch = Scratch::new();
    let facts = facts_in(scratch.path(), documented());
    let monitor = || ConsentMonitor::new(facts.clone(), Env::empty(), Clock::System);
    let [one, other, third] = [monitor(), monitor(), monitor()];
    let [generation, of_third] = [&one, &third].map(|monitor| monitor.open().unwrap());
    // A grant, and another one, change nothing for a process that is on.
    for _ in 0..2 {
        assert!(other.opt_in().unwrap().state() == ConsentState::Granted);
        assert!(one.may_send(generation) && third.may_send(of_third));
    }
    other.opt_out().unwrap();
    assert_eq!(other.opt_in().unwrap().state(), ConsentState::Granted);
    assert!(!one.may_send(generation));
    assert_eq!((one.state(), one.decision().decided_by()), (ConsentState::Denied, Layer::Runtime));
    // A process that opts in itself continues, but sends nothing captured before.
    assert_eq!(third.opt_in().unwrap().state(), ConsentState::Granted);
    let anew = third.open().unwrap();
    assert!(!third.may_send(of_third) && third.may_send(anew));
    // An empty file is a refusal that has lost its number.
    fs::write(scratch.path().join(CHOICE_FILE), "").unwrap();
    assert_eq!(other.opt_in().unwrap().state(), ConsentState::Granted);
    assert!(!third.may_send(anew));
}

#[test]
fn an_opt_out_that_cannot_be_stored_still_holds_and_names_the_variable() {
    let facts =
        facts(Consent::opt_out(Notice::documented("https://e.example")).policy_file("/nowhere/p.toml"));
    let monitor = ConsentMonitor::new(facts, Env::empty(), Clock::System);
    assert_eq!(monitor.state(), ConsentState::Granted);
    let error = monitor.opt_out().unwrap_err();
    assert!(error.to_string().contains("MY_TOOL_TELEMETRY_DISABLED=1"), "{error}");
    assert_eq!(monitor.state(), ConsentState::Denied);
    assert!(monitor.opt_in().is_err());
    assert_eq!(monitor.state(), ConsentState::Denied);
}

#[test]
fn the_run_that_shows_the_notice_sends_nothing() {
    let scratch = Scratch::new();
    let facts = facts_in(scratch.path(), Consent::opt_out(Notice::shown("we count")));
    let first = ConsentMonitor::new(facts.clone(), Env::empty(), Clock::System);
    assert!(first.decision().notice_is_due());
    first.notice_shown().unwrap();
    assert_eq!(first.state(), ConsentState::Deferred);
    assert!(!first.may_send(0));
    assert_eq!(first.state(), ConsentState::Deferred);
    let second = ConsentMonitor::new(facts.clone(), Env::empty(), Clock::System);
    assert_eq!(second.state(), ConsentState::Granted);
    assert!(second.notice_shown().is_err());
    let ci = ConsentMonitor::new(facts, Env::empty().with("CI", "1"), Clock::System);
    assert!(!ci.decision().notice_is_due());
    assert!(ci.notice_shown().is_err());
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn only_the_owner_can_read_a_choice() {
        let scratch = Scratch::new();
        let dir = scratch.path().join("state");
        let facts = facts_in(&dir, Consent::opt_in());
        store(&facts).write_choice(Answer::Granted, &facts, NOW).unwrap();
        assert_eq!(fs::metadata(dir.join(CHOICE_FILE)).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o7777, 0o700);
    }

    #[test]
    fn a_choice_that_is_a_link_denies_and_is_left_alone() {
        let scratch = Scratch::new();
        let real = scratch.path().join("real");
        fs::create_dir(&real).unwrap();
        let honest = facts_in(&real, Consent::opt_in());
        store(&honest).write_choice(Answer::Granted, &honest, NOW).unwrap();
        let linked = scratch.path().join("linked");
        fs::create_dir(&linked).unwrap();
        symlink(real.join(CHOICE_FILE), linked.join(CHOICE_FILE)).unwrap();
        let facts = facts_in(&linked, Consent::opt_in());
        assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::User));
        assert!(store(&facts).write_choice(Answer::Denied, &facts, NOW).is_err());
        assert!(linked.join(CHOICE_FILE).is_symlink());
        assert_eq!(decided(&honest, NOW), (ConsentState::Granted, Layer::User));

        let dangling = scratch.path().join("dangling");
        symlink("/nowhere/at/all", &dangling).unwrap();
        assert_eq!(read_file(&dangling), FileState::Failed(ReadFailure::Link));
    }

    /// Directories in which a grant is neither trusted nor written. The first is a link to a trustworthy directory.
    fn doubtful(scratch: &Scratch) -> [PathBuf; 2] {
        let real = scratch.path().join("real");
        let open = scratch.path().join("open");
        let link = scratch.path().join("link");
        fs::create_dir(&real).unwrap();
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o1777)).unwrap();
        symlink(&real, &link).unwrap();
        [link, open]
    }

    #[test]
    fn an_untrusted_directory_takes_no_grant_but_takes_a_refusal() {
        let scratch = Scratch::new();
        for dir in doubtful(&scratch) {
            let facts = facts_in(&dir, documented());
            let in_files = facts_in(&dir, Consent::opt_in());
            assert_eq!(decided(&facts, NOW).0, ConsentState::Granted);
            let error = store(&in_files).write_choice(Answer::Granted, &in_files, NOW).unwrap_err();
            assert!(error.to_string().contains("a grant would not be trusted"), "{error}");
            assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);

            let mut choice = Choice::new(Answer::Granted, NOW, 1);
            choice.notice_version = 1;
            choice.endpoint = facts.endpoint.clone();
            fs::write(dir.join(CHOICE_FILE), choice.to_bytes()).unwrap();
            fs::set_permissions(dir.join(CHOICE_FILE), fs::Permissions::from_mode(0o600)).unwrap();
            assert_eq!(decided(&in_files, NOW), (ConsentState::Denied, Layer::User));
            assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::User));

            store(&facts).write_choice(Answer::Denied, &facts, NOW).unwrap();
            let decision = decide(&collect(facts.clone(), Env::empty(), Runtime::default(), NOW));
            assert_eq!(decision.deciding_report().unwrap().reason, "refused by the user");
        }
    }

    #[test]
    fn an_untrusted_directory_takes_no_receipt() {
        let scratch = Scratch::new();
        let honest = facts_in(&scratch.path().join("honest"), Consent::opt_out(Notice::shown("we count")));
        store(&honest).write_receipt(&honest, NOW).unwrap();
        assert_eq!(decided(&honest, NOW).0, ConsentState::Granted);
        for dir in doubtful(&scratch) {
            let facts = facts_in(&dir, Consent::opt_out(Notice::shown("we count")));
            assert!(store(&facts).write_receipt(&facts, NOW).is_err());
            fs::copy(scratch.path().join("honest").join(RECEIPT_FILE), dir.join(RECEIPT_FILE)).unwrap();
            assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::Mode));
        }
    }

    #[test]
    fn a_projects_grant_is_trusted_unless_everybody_can_write_to_its_directory() {
        let scratch = Scratch::new();
        let [link, open] = doubtful(&scratch);
        let key = "telemetry.enabled";
        for (dir, state) in [(&link, ConsentState::Granted), (&open, ConsentState::Denied)] {
            let file = dir.join("project.json");
            let consent = Consent::opt_in().subject(Subject::Project).project_file(&file);
            let facts = facts_in(&scratch.path().join("state"), consent);
            let written = write_project_answer(&file, key, true);
            assert_eq!(written.is_ok(), state == ConsentState::Granted);
            assert_eq!(file.exists(), written.is_ok());
            fs::write(&file, r#"{"telemetry":{"enabled":true}}"#).unwrap();
            assert_eq!(decided(&facts, NOW), (state, Layer::Project));
            write_project_answer(&file, key, false).unwrap();
            assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::Project));
        }
    }

    /// Mounts a file as Kubernetes does: behind two links, in a directory that everybody can write to.
    fn config_map(dir: &Path, name: &str, text: &str, version: &str) {
        fs::create_dir_all(dir.join(version)).unwrap();
        fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(dir.join(version).join(name), text).unwrap();
        let swap = dir.join("..data_tmp");
        symlink(version, &swap).unwrap();
        fs::rename(&swap, dir.join("..data")).unwrap();
        if !dir.join(name).is_symlink() {
            symlink(Path::new("..data").join(name), dir.join(name)).unwrap();
        }
    }

    #[test]
    fn a_config_map_can_deny_and_otherwise_does_not_get_in_the_way() {
        let scratch = Scratch::new();
        let mount = scratch.path().join("mount");
        let path = mount.join("deployment.json");
        let text = |no: &str| format!(r#"{{"deployment":{{"parameters":{{"AnalyticsDisabled":"{no}"}}}}}}"#);
        let facts = facts_in(scratch.path(), documented().deployment_file(&path));
        config_map(&mount, "deployment.json", &text("false"), "..2026_01");
        assert_eq!(decided(&facts, NOW), (ConsentState::Granted, Layer::Mode));
        let watch = FileWatch::new(&facts, &Env::empty());
        let later = SystemTime::now() + Duration::from_secs(60);
        assert!(!watch.changed(later));
        config_map(&mount, "deployment.json", &text("true"), "..2026_02");
        assert!(watch.changed(later), "the file's own link is the same, but its target is not");
        assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::Deployment));

        // A file that exists but cannot be read denies, wherever its link leads.
        for target in ["/nowhere/at/all", "/dev/null", "..2026_02", "deployment.json"] {
            fs::remove_file(&path).unwrap();
            symlink(target, &path).unwrap();
            assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::Deployment), "{target}");
        }
        fs::write(mount.join("large"), vec![b' '; 64 * 1024 + 1]).unwrap();
        fs::remove_file(&path).unwrap();
        symlink("large", &path).unwrap();
        assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::Deployment));
    }

    #[test]
    fn a_policy_behind_a_link_can_deny_but_not_grant() {
        let scratch = Scratch::new();
        for (text, state) in [
            (r#"{"enabled":true}"#, ConsentState::Deferred),
            (r#"{"enabled":false}"#, ConsentState::Denied),
            (r#"{"managed_grant":false}"#, ConsentState::Deferred),
            (r#"{"managed_grant":true}"#, ConsentState::Denied),
        ] {
            let dir = scratch.path().join("mount");
            config_map(&dir, "policy.json", text, "..2026_01");
            let consent = Consent::opt_in().policy_file(dir.join("policy.json"));
            let decision = decide(&collect(facts(consent), Env::empty(), Runtime::default(), NOW));
            assert_eq!(decision.state(), state, "{text}");
        }
        let open = scratch.path().join("mount").join("plain.json");
        fs::write(&open, r#"{"managed_grant":true}"#).unwrap();
        let facts = facts(Consent::opt_in().policy_file(&open));
        assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::MachinePolicy));
        fs::set_permissions(scratch.path().join("mount"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(decided(&facts, NOW), (ConsentState::Granted, Layer::MachinePolicy));
    }

    #[test]
    fn a_state_directory_behind_a_broken_link_denies() {
        let scratch = Scratch::new();
        symlink(scratch.path().join("not-mounted"), scratch.path().join("state")).unwrap();
        for dir in ["state", "state/my-tool"] {
            let facts = facts_in(&scratch.path().join(dir), documented());
            let facts = Facts { consent: facts.consent.policy_file("/nowhere/p.toml"), ..facts };
            assert_eq!(decided(&facts, NOW), (ConsentState::Denied, Layer::User), "{dir}");
        }
        fs::create_dir(scratch.path().join("not-mounted")).unwrap();
        let facts = facts_in(&scratch.path().join("state/my-tool"), documented());
        assert_eq!(decided(&facts, NOW), (ConsentState::Granted, Layer::Mode));
    }

    #[test]
    fn a_file_that_others_can_write_to_is_not_trusted() {
        let scratch = Scratch::new();
        let facts = facts_in(scratch.path(), Consent::opt_in());
        store(&facts).write_choice(Answer::Granted, &facts, NOW).unwrap();
        for (mode, state) in [
            (0o640, ConsentState::Granted),
            (0o660, ConsentState::Denied),
            (0o606, ConsentState::Denied),
            (0o600, ConsentState::Granted),
        ] {
            fs::set_permissions(scratch.path().join(CHOICE_FILE), fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(decided(&facts, NOW).0, state, "{mode:o}");
        }
        let policy = scratch.path().join("policy.json");
        fs::write(&policy, "{}").unwrap();
        for (mode, state) in
            [(0o644, ConsentState::Granted), (0o664, ConsentState::Denied), (0o646, ConsentState::Denied)]
        {
            fs::set_permissions(&policy, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(decided(&facts, NOW).0, state, "{mode:o}");
        }
    }

    /// Fills the rest of a file system.
    #[cfg(target_os = "linux")]
    fn fill(dir: &Path) {
        use std::io::Write;
        let mut file = fs::File::create(dir.join("filler")).unwrap();
        let block = vec![0; 64 * 1024];
        while file.write_all(&block).is_ok() {}
        while file.write_all(&block[..512]).is_ok() {}
    }

    /// Mounts a small file system, if this user and machine allow it, and unmounts it when dropped.
    #[cfg(target_os = "linux")]
    struct SmallDisk(PathBuf);

    #[cfg(target_os = "linux")]
    impl SmallDisk {
        fn mount(dir: &Path) -> Option<Self> {
            fs::create_dir(dir).unwrap();
            let mut command = std::process::Command::new("mount");
            command.args(["-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs"]).arg(dir);
            let is_mounted =
                command.stderr(std::process::Stdio::null()).status().is_ok_and(|it| it.success());
            is_mounted.then(|| Self(dir.to_owned()))
        }
    }

    #[cfg(target_os = "linux")]
    impl Drop for SmallDisk {
        fn drop(&mut self) {
            let _ = std::process::Command::new("umount").arg(&self.0).status();
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_refusal_is_stored_on_a_full_disk() {
        let scratch = Scratch::new();
        let Some(disk) = SmallDisk::mount(&scratch.path().join("disk")) else { return };
        let (granted, asked) = (disk.0.join("granted"), disk.0.join("asked"));
        let facts = facts_in(&granted, Consent::opt_in());
        store(&facts).write_choice(Answer::Granted, &facts, NOW).unwrap();
        fs::create_dir(&asked).unwrap();
        fill(&disk.0);
        let silent = facts_in(&asked, documented());
        for facts in [&facts, &silent] {
            assert_eq!(decided(facts, NOW).0, ConsentState::Granted);
            let error = store(facts).write_choice(Answer::Granted, facts, NOW).unwrap_err();
            assert!(error.to_string().contains("could not write"), "{error}");
            store(facts).write_choice(Answer::Denied, facts, NOW).unwrap();
            assert_eq!(decided(facts, NOW), (ConsentState::Denied, Layer::User));
            store(facts).write_choice(Answer::Denied, facts, NOW).unwrap();
        }
        fs::remove_file(disk.0.join("filler")).unwrap();
        store(&facts).write_choice(Answer::Granted, &facts, NOW).unwrap();
        assert_eq!(decided(&facts, NOW), (ConsentState::Granted, Layer::User));
    }

    #[test]
    fn a_refusal_that_cannot_replace_a_grant_empties_its_file() {
        let scratch = Scratch::new();
        let facts = facts_in(scratch.path(), Consent::opt_in());
        let path = scratch.path().join(CHOICE_FILE);
        store(&facts).write_choice(Answer::Granted, &facts, NOW).unwrap();
        super::super::super::store::leave_empty(&path).unwrap();
        let decision = decide(&collect(facts.clone(), Env::empty(), Runtime::default(), NOW));
        let report = decision.deciding_report().unwrap();
        assert_eq!((report.reason.as_str(), report.malformed), ("refused by the user", false));
        assert_eq!(report.since, None);
        store(&facts).write_choice(Answer::Granted, &facts, NOW).unwrap();
        assert_eq!(decided(&facts, NOW), (ConsentState::Granted, Layer::User));
        symlink(&path, scratch.path().join("link")).unwrap();
        assert!(super::super::super::store::leave_empty(&scratch.path().join("link")).is_err());
        assert_eq!(decided(&facts, NOW), (ConsentState::Granted, Layer::User));
    }

    #[test]
    fn a_sudo_caller_whose_home_is_unknown_may_have_refused() {
        // An account that is not listed on this machine.
        let env = Env::empty().with("SUDO_UID", "4294967290").with("HOME", "/root/nowhere");
        let consent = documented().policy_file("");
        let decision = decide(&collect(facts(consent.clone()), env.clone(), Runtime::default(), NOW));
        let is_root = super::super::super::user::effective_id() == Some(0);
        assert_eq!(decision.state() == ConsentState::Denied, is_root);
        if is_root {
            let report = decision.deciding_report().unwrap();
            assert_eq!((report.layer, report.source.as_str()), (Layer::User, "SUDO_UID"));
        }
        // If the application sets the directory of the choice, it is the same for all users.
        let scratch = Scratch::new();
        let facts = facts(consent.state_dir(scratch.path()));
        assert_eq!(decide(&collect(facts, env, Runtime::default(), NOW)).state(), ConsentState::Granted);
    }

    #[test]
    fn opening_a_pipe_does_not_block() {
        let scratch = Scratch::new();
        let pipe = scratch.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            assert_eq!(read_file(&pipe), FileState::Failed(ReadFailure::NotAFile));
        }
    }

    #[test]
    fn a_device_is_not_a_file() {
        assert_eq!(read_file(Path::new("/dev/null")), FileState::Failed(ReadFailure::NotAFile));
    }

    #[test]
    fn a_file_without_read_permission_denies_unless_root_can_read_it() {
        let scratch = Scratch::new();
        let facts = facts_in(scratch.path(), Consent::opt_in());
        store(&facts).write_choice(Answer::Granted, &facts, NOW).unwrap();
        let path = scratch.path().join(CHOICE_FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        // Root can read everything.
        let all_powerful = fs::File::open(&path).is_ok();
        let wanted = if all_powerful { ConsentState::Granted } else { ConsentState::Denied };
        assert_eq!(decided(&facts, NOW).0, wanted);
    }

    #[test]
    fn nothing_is_written_under_sudo_even_if_the_callers_home_is_unknown() {
        let scratch = Scratch::new();
        let facts = facts_in(scratch.path(), Consent::opt_in());
        // An account that is not listed on this machine.
        let env = Env::empty().with("SUDO_UID", "4294967290");
        // Only root can be under sudo.
        let is_root = super::super::super::user::effective_id() == Some(0);
        assert_eq!(Store::open(&facts, &env).is_err(), is_root);
    }
}
