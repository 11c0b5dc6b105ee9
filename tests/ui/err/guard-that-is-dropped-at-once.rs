//~ `let _guard = ..`; `let _ = ..` drops it at once

#![deny(unused_must_use)]

fn main() {
    candor::init_or_disabled(candor::config!());
}
