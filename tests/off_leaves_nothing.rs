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
const DIR: &str = "CANDOR_TEST_DIR";
const CAPTURES: u64 = 1_000_000;

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
        let status = run(&index.to_string(), case);
        assert!(status.success(), "{}: {status:?} (signal {:?})", case.0, status.signal());
    }
}

#[test]
fn the_filter_kills_what_a_granted_client_does() {
    let status = run("granted", &GRANTED);
    assert_eq!(status.signal(), Some(libc::SIGSYS), "{status:?}");
}

fn run(name: &str, case: &Case) -> ExitStatus {
    let home = std::env::temp_dir().join(format!("candor-off-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env_clear()
        .env("HOME", &home)
        .envs(case.1.iter().copied())
        .env(DIR, &home)
        .env(CASE, name)
        .current_dir(&home)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    fs::remove_dir_all(&home).unwrap();
    status
}

/// The process that the tests above start; it does nothing if run as a test.
#[test]
fn child() {
    let Ok(name) = std::env::var(CASE) else { return };
    let dir = PathBuf::from(std::env::var_os(DIR).unwrap());
    let case = name.parse().map_or(&GRANTED, |index: usize| &CASES[index]);
    let config = config(case.2(&dir));
    // The files that a process loads for its first panic are not the client's doing.
    let _ = std::panic::catch_unwind(|| panic!("before"));
    let before = Footprint::of(&dir);
    seccompiler::apply_filter(&filter()).unwrap();
    live(config);
    assert_eq!(before, Footprint::of(&dir));
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
fn filter() -> BpfProgram {
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
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        never.into_iter().map(|call| (call, Vec::new())).collect();
    rules.insert(libc::SYS_openat, writing(2));
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, writing(1));
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::KillProcess, arch).unwrap();
    filter.try_into().unwrap()
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
