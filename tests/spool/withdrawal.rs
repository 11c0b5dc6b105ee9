//! One process writes, another sends, and a third withdraws.

use crate::other::Other;
use crate::rig::scratch;
use testkit::Server;

#[test]
fn a_withdrawal_ends_what_two_other_processes_write_and_send() {
    for _ in 0..3 {
        let (state, server) = (scratch(), Server::start([]));
        let mut writer = Other::start(&format!("writes {}", server.url()), &state);
        writer.wait_for("writing");
        let mut sender = Other::start(&format!("sends {}", server.url()), &state);
        sender.wait_for("sending");
        server.wait_for(5);
        let withdrawing = Other::start("withdraws", &state);
        assert_eq!(withdrawing.end(), Some(0));
        let begun = server.begun();
        assert!(!state.spool().exists(), "{:?}", state.files());
        // Both have noticed by themselves, and counted all that they had as withdrawn.
        assert_eq!((writer.end(), sender.end()), (Some(0), Some(0)));
        assert!(server.begun() <= begun + 1, "only what was under way may still arrive");
        assert!(!state.spool().exists(), "{:?}", state.files());
    }
}
