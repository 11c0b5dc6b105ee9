//! The table of switch values, row by row and column by column.

use std::ffi::{OsStr, OsString};

use super::super::switch::{Reading, SwitchKind, parse_switch};
use Reading::{Abstain, Deny, Grant, Malformed};

const COLUMNS: [SwitchKind; 5] = [
    SwitchKind::DoNotTrack,
    SwitchKind::Disabled,
    SwitchKind::Enabled { may_grant: false },
    SwitchKind::Enabled { may_grant: true },
    SwitchKind::LegacyString,
];

fn check(values: &[&str], row: [Reading; 5]) {
    for value in values {
        for (kind, wanted) in COLUMNS.into_iter().zip(row) {
            assert_eq!(parse_switch(kind, OsStr::new(value)), wanted, "{value:?} as {kind:?}");
        }
    }
}

#[test]
fn each_word_is_read_as_the_table_says() {
    check(
        &["1", "true", "yes", "on", "y", "t", "TRUE", "Yes", " on ", "\tT\n", "1 "],
        [Deny, Deny, Abstain, Grant, Deny],
    );
    check(
        &["0", "false", "no", "off", "n", "f", "FALSE", "No", " off ", "0\n"],
        [Abstain, Abstain, Deny, Deny, Abstain],
    );
    check(&["", " ", "\t \n", &" ".repeat(100)], [Abstain; 5]);
    check(&["enabled", "ENABLED"], [Malformed, Malformed, Abstain, Abstain, Malformed]);
    check(&["disabled", " Disabled"], [Malformed, Malformed, Deny, Deny, Malformed]);
}

#[test]
fn any_other_value_denies() {
    let long = "1".repeat(33);
    check(
        &[
            "2",
            "-1",
            "+1",
            "01",
            "truee",
            "treu",
            "null",
            "nil",
            "1 x",
            "1\0",
            "\0",
            "😀",
            "yes please",
            "\"1\"",
            "'0'",
            "0.0",
            "1.0",
            "ＴＲＵＥ",
            "\u{a0}0",
            &long,
        ],
        [Malformed; 5],
    );
}

#[test]
#[cfg(unix)]
fn a_value_that_is_not_utf8_denies() {
    use std::os::unix::ffi::OsStringExt;
    for bytes in [vec![0xff], vec![b'0', 0xff], vec![b' ', 0xc3]] {
        let value = OsString::from_vec(bytes);
        for kind in COLUMNS {
            assert_eq!(parse_switch(kind, &value), Malformed, "{value:?} as {kind:?}");
        }
    }
}

#[test]
fn the_length_limit_applies_after_trimming() {
    let padded = format!("{}0{}", " ".repeat(60), " ".repeat(60));
    assert_eq!(parse_switch(SwitchKind::DoNotTrack, padded.as_ref()), Abstain);
}
