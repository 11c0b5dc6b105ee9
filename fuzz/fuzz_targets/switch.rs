//! Random values of switches: a switch that can only deny must never grant.
#![no_main]

use candor::consent::{Reading, SwitchKind, parse_switch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    #[cfg(unix)]
    let raw = std::os::unix::ffi::OsStrExt::from_bytes(data);
    #[cfg(not(unix))]
    let text = String::from_utf8_lossy(data).into_owned();
    #[cfg(not(unix))]
    let raw: &std::ffi::OsStr = text.as_ref();
    for kind in [SwitchKind::DoNotTrack, SwitchKind::Disabled, SwitchKind::LegacyString] {
        assert_ne!(parse_switch(kind, raw), Reading::Grant);
    }
    assert_ne!(parse_switch(SwitchKind::Enabled { may_grant: false }, raw), Reading::Grant);
    let _ = parse_switch(SwitchKind::Enabled { may_grant: true }, raw);
});
