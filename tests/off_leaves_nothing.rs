//! Off means absent, as seen from outside: a denied client runs under a system call filter that kills the process.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use candor::consent::Account;
use candor::{Client, Config, Consent, DynamicEvent, Notice};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

const CASE: &str = "CANDOR_TEST_CASE";
const SPOOL: &str = "CANDOR_TEST_SPOOL";
const DIR: &str = "CANDOR_TEST_DIR";
const CAPTURES: u64 = 1_000_000;

/// A file of an earlier run.
const KEPT: &str = ".local/state/off-life/spool/0123456789abcdef/e1700000000000-0123456789ab-n1-b100-a0";

/// A name, environment variables, and a declaration with the files that it reads.
type Case = (&'static str, &'static [(&'static str, &'static str)], fn(&Path) -> Consent);

const CASES: &[Case] = &[
    ("do not track", &[("DO_NOT_TRACK", "1")], |_| documented()),
    ("do not track, misspelt", &[("DO_NOT_TRACK", "treu")], |_| documented()),
    ("disabled", &[("OFF_LIFE_TELEMETRY_DISABLED", "true")], |_| documented()),
    ("no telemetry", &[("OFF_LIFE_NO_TELEMETRY", "1")], |_| documented()),
    ("telemetry off", &[("OFF_LIFE_TELEMETRY", "0")], |_| documented()),
    ("telemetry misspelt", &[("OFF_LIFE_TELEMETRY", "ture")], |_| documented()),
    ("deny alias", &[("OLD_NAME", "yes")], |_| documented().deny_env("OLD_NAME")),
    ("continuous integration", &[("CI", "true")], |_| documented()),
    ("flag", &[], |_| documented().no_telemetry_flag(true)),
    ("machine policy", &[], |dir| documented().policy_file(file(dir, "policy.json", r#"{"enabled":false}"#))),
    ("machine policy, broken", &[], |dir| documented().policy_file(file(dir, "policy.json", "{"))),
    ("account", &[], |_| documented().account(Account::deny())),
    ("account unknown", &[], |_| Consent::session().session_present(true).account(Account::unknown())),
    ("deployment", &[], |dir| {
        let text = "deployment:\n  parameters:\n    AnalyticsDisabled: \"true\"\n";
        documented().deployment_file(file(dir, "deployment.yml", text))
    }),
    ("deployment, a directory", &[], |dir| {
        fs::create_dir(dir.join("deployment.yml")).unwrap();
        documented().deployment_file(dir.join("deployment.yml"))
    }),
    ("project", &[], |dir| {
        documented().project_file(file(dir, "project.json", r#"{"telemetry":{"enabled":false}}"#))
    }),
    ("project, a link", &[], |dir| {
        let real = file(dir, "real.json", r#"{"telemetry":{"enabled":true}}"#);
        std::os::unix::fs::symlink(real, dir.join("project.json")).unwrap();
        documented().project_file(dir.join("project.json"))
    }),
    ("user", &[], |dir| {
        let refused = || documented().state_dir(dir.join("state")).no_telemetry_flag(true);
        Client::new(config(refused())).unwrap().opt_out().unwrap();
        documented().state_dir(dir.join("state"))
    }),
    ("user, unreadable", &[], |dir| {
        file(dir, "telemetry-consent.json", "what?");
        documented().state_dir(dir)
    }),
    ("licence key missing", &[], |_| documented().license_key_present(false)),
    ("session missing", &[], |_| Consent::session()),
    ("build", &[], |_| documented().non_release_build(true)),
    ("nobody asked", &[], |_| Consent::opt_in()),
    ("notice not shown", &[], |_| Consent::opt_out(Notice::shown("we count"))),
    ("state directory read-only", &[], |dir| {
        let state = dir.join("state");
        fs::create_dir(&state).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o555)).unwrap();
        Consent::opt_out(Notice::shown("we count")).state_dir(state)
    }),
    ("state directory a dangling link", &[], |dir| {
        std::os::unix::fs::symlink("/nowhere/at/all", dir.join("state")).unwrap();
        Consent::opt_in().state_dir(dir.join("state"))
    }),
    ("home no directory", &[("HOME", "/dev/null")], |_| Consent::opt_in()),
    ("no home", &[("HOME", "")], |_| Consent::opt_out(Notice::shown("we count"))),
];

/// Those that deny for this run only, whatever any file says, so none is looked at. In continuous integration a file
/// may grant.
const FOR_THIS_RUN: [&str; 8] = [
    "do not track",
    "do not track, misspelt",
    "disabled",
    "no telemetry",
    "telemetry off",
    "telemetry misspelt",
    "deny alias",
    "flag",
];

/// What the client keeps on disk, and what kills it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spooled {
    /// It has no spool.
    No,
    /// It has one, and may do no more than without.
    Yes,
    /// It has one with the events of an earlier run in it, and may not even look at a path.
    Blind,
}

impl Spooled {
    const ALL: [Self; 3] = [Self::No, Self::Yes, Self::Blind];

    fn number(self) -> String {
        (self as usize).to_string()
    }

    fn of(number: &str) -> Self {
        Self::ALL[number.parse::<usize>().unwrap()]
    }
}

/// Must be killed by the filter: the run of a client that may send.
const GRANTED: Case = ("granted", &[], |_| documented());

fn documented() -> Consent {
    Consent::opt_out(Notice::documented("https://example.com/telemetry"))
}

fn config(consent: Consent) -> Config {
    Config::new("off-life", "1.0.0").endpoint("http://127.0.0.1:9").consent(consent)
}

fn file(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn defect_1_a_denied_client_makes_no_thread_socket_file_or_random_number() {
    for (index, case) in CASES.iter().enumerate() {
        let status = run(&index.to_string(), case, Spooled::No);
        assert!(status.success(), "{}: {status:?} (signal {:?})", case.0, status.signal());
    }
}

#[cfg(feature = "spool")]
#[test]
fn a_denied_client_with_a_spool_does_no_more() {
    for (index, case) in CASES.iter().enumerate() {
        let status = run(&index.to_string(), case, Spooled::Yes);
        assert!(status.success(), "{}: {status:?} (signal {:?})", case.0, status.signal());
    }
}

#[cfg(feature = "spool")]
#[test]
fn a_run_that_is_denied_for_itself_looks_at_no_path() {
    for name in FOR_THIS_RUN {
        let index = CASES.iter().position(|case| case.0 == name).unwrap();
        let status = run(&index.to_string(), &CASES[index], Spooled::Blind);
        assert!(status.success(), "{name}: {status:?} (signal {:?})", status.signal());
    }
    // A refusal that is stored is read, so the filter does see what it is there for.
    let stored = CASES.iter().position(|case| case.0 == "user").unwrap();
    let status = run(&stored.to_string(), &CASES[stored], Spooled::Blind);
    assert_eq!(status.signal(), Some(libc::SIGSYS), "{status:?}");
}

#[test]
fn the_filter_kills_what_a_granted_client_does() {
    let status = run("granted", &GRANTED, Spooled::No);
    assert_eq!(status.signal(), Some(libc::SIGSYS), "{status:?}");
}

fn run(name: &str, case: &Case, spooled: Spooled) -> ExitStatus {
    let home = std::env::temp_dir().join(format!("candor-off-{}-{spooled:?}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).unwrap();
    if spooled == Spooled::Blind {
        let kept = home.join(KEPT);
        fs::create_dir_all(kept.parent().unwrap()).unwrap();
        fs::write(kept, "an event").unwrap();
    }
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env_clear()
        .env("HOME", &home)
        .envs(case.1.iter().copied())
        .env(DIR, &home)
        .env(CASE, name)
        .env(SPOOL, spooled.number())
        .current_dir(&home)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    if spooled == Spooled::Blind {
        assert_eq!(fs::read(home.join(KEPT)).unwrap(), b"an event");
    }
    fs::remove_dir_all(&home).unwrap();
    status
}

/// The process that the tests above start; it does nothing if run as a test.
#[test]
fn child() {
    let Ok(name) = std::env::var(CASE) else { return };
    let dir = PathBuf::from(std::env::var_os(DIR).unwrap());
    let case = name.parse().map_or(&GRANTED, |index: usize| &CASES[index]);
    let spooled = Spooled::of(&std::env::var(SPOOL).unwrap());
    let mut config = config(case.2(&dir));
    if spooled != Spooled::No {
        config = config.spool(candor::Spool::cli().each_event());
    }
    // The files that a process loads for its first panic are not the client's doing.
    let _ = std::panic::catch_unwind(|| panic!("before"));
    let before = Footprint::of(&dir);
    seccompiler::apply_filter(&filter(spooled == Spooled::Blind)).unwrap();
    live(config);
    if spooled != Spooled::Blind {
        assert_eq!(before, Footprint::of(&dir));
    }
    std::process::exit(0);
}

fn live(config: Config) {
    let guard = candor::init(config).unwrap();
    for number in 0..CAPTURES {
        candor::event!("counted", distinct_id = "node", number = evaluated(number));
    }
    candor::capture(DynamicEvent::new("counted", "node"));
    candor::capture(DynamicEvent::anonymous("counted"));
    candor::flush(Duration::from_secs(5)).unwrap();
    assert!(std::panic::catch_unwind(|| panic!("the application's own")).is_err());
    assert_eq!(candor::stats().captured, 0);
    candor::shutdown(Duration::from_secs(5)).unwrap();
    drop(guard);
}

fn evaluated(number: u64) -> u64 {
    assert_eq!(number, u64::MAX, "an argument was evaluated while off");
    number
}

#[derive(Debug, PartialEq)]
struct Footprint {
    threads: usize,
    descriptors: usize,
    caught_signals: String,
    files: BTreeMap<PathBuf, (u64, SystemTime)>,
}

impl Footprint {
    fn of(dir: &Path) -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let caught_signals = status.lines().find(|line| line.starts_with("SigCgt")).unwrap().to_owned();
        let mut files = BTreeMap::new();
        walk(dir, &mut files);
        Self {
            threads: fs::read_dir("/proc/self/task").unwrap().count(),
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            caught_signals,
            files,
        }
    }
}

fn walk(dir: &Path, files: &mut BTreeMap<PathBuf, (u64, SystemTime)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        files.insert(path.clone(), (metadata.len(), metadata.modified().unwrap()));
        if metadata.is_dir() {
            walk(&path, files);
        }
    }
}

/// Kills the process on every system call that a disabled client must not make.
///
/// With `is_blind` also on a look at any path.
fn filter(is_blind: bool) -> BpfProgram {
    let mut never = vec![
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_clone,
        libc::SYS_clone3,
        libc::SYS_execve,
        libc::SYS_io_uring_setup,
        libc::SYS_memfd_create,
        libc::SYS_epoll_create1,
        libc::SYS_eventfd2,
        libc::SYS_pipe2,
        libc::SYS_timerfd_create,
        libc::SYS_inotify_init1,
        libc::SYS_mkdirat,
        libc::SYS_renameat2,
        libc::SYS_unlinkat,
        libc::SYS_linkat,
        libc::SYS_symlinkat,
        libc::SYS_fchmod,
        libc::SYS_fchmodat,
        libc::SYS_utimensat,
        libc::SYS_ftruncate,
        libc::SYS_getrandom,
        libc::SYS_rt_sigaction,
        libc::SYS_openat2,
    ];
    #[cfg(target_arch = "x86_64")]
    never.extend([
        libc::SYS_fork,
        libc::SYS_vfork,
        libc::SYS_mkdir,
        libc::SYS_creat,
        libc::SYS_rename,
        libc::SYS_renameat,
        libc::SYS_unlink,
        libc::SYS_chmod,
        libc::SYS_pipe,
    ]);
    let mut rules = BTreeMap::from([(libc::SYS_openat, writing(2))]);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, writing(1));
    if is_blind {
        never.extend(looks());
    }
    rules.extend(never.into_iter().map(|call| (call, Vec::new())));
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::KillProcess, arch).unwrap();
    filter.try_into().unwrap()
}

/// The calls that look at a path.
fn looks() -> Vec<i64> {
    let mut calls = vec![
        libc::SYS_openat,
        libc::SYS_statx,
        libc::SYS_newfstatat,
        libc::SYS_faccessat,
        libc::SYS_faccessat2,
        libc::SYS_readlinkat,
        libc::SYS_getdents64,
        libc::SYS_chdir,
    ];
    #[cfg(target_arch = "x86_64")]
    calls.extend([
        libc::SYS_open,
        libc::SYS_stat,
        libc::SYS_lstat,
        libc::SYS_access,
        libc::SYS_readlink,
        libc::SYS_getdents,
    ]);
    calls
}

/// Opening a file for anything but reading; `argument` is the position of the flags.
fn writing(argument: u8) -> Vec<SeccompRule> {
    [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC]
        .into_iter()
        .map(|flag| {
            let flag = u64::try_from(flag).unwrap();
            let operator = SeccompCmpOp::MaskedEq(flag);
            let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, flag).unwrap();
            SeccompRule::new(vec![condition]).unwrap()
        })
        .collect()
}
