//! Sends ready-made bodies of candor's size through candor's HTTP stack: the limit without capturing, encoding and
//! batching.

use std::time::{Duration, Instant};

use peers::{DISTINCT_ID, GROUP, MODE, NAME, Options, PROVIDER};
use serde_json::json;

/// A body with as many events as a batch of candor's, and of the same form and size.
fn body(first: u64, events: u64) -> String {
    let events: Vec<_> = (first..first + events)
        .map(|seq| {
            json!({
                "uuid": format!("01a0a3e4-7c00-7000-8000-{seq:012}"),
                "event": NAME, "distinct_id": DISTINCT_ID, "timestamp": "2026-11-20T08:00:00.000Z",
                "properties": {
                    "has_reason": true, "provider": PROVIDER, "requires_approval": true, "mode": MODE,
                    "seq": seq, "$groups": { GROUP.0: GROUP.1 },
                    "$lib": "candor", "$lib_version": "0.1.0", "$is_server": true, "$geoip_disable": true,
                },
            })
        })
        .collect();
    json!({ "api_key": "phc_loopback", "batch": events, "sent_at": "2026-11-20T08:00:00.000Z" }).to_string()
}

/// The agent with the settings of candor's transport.
fn agent() -> ureq::Agent {
    let total = Some(Duration::from_secs(15));
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_resolve(Some(Duration::from_secs(5)))
        .timeout_connect(Some(Duration::from_secs(5)))
        .timeout_recv_response(total)
        .timeout_per_read(Some(Duration::from_secs(10)))
        .timeout_global(total)
        .user_agent("peers/1.0.0")
        .accept("application/json")
        .max_idle_connections(1)
        .output_buffer_size(64 * 1024)
        .input_buffer_size(32 * 1024)
        .max_response_header_size(16 * 1024)
        .build()
        .new_agent()
}

fn main() {
    let options = Options::from_args();
    let batch = options.batch as u64;
    let bodies: Vec<String> = (0..options.events)
        .step_by(options.batch)
        .map(|first| body(first, batch.min(options.events - first)))
        .collect();
    let (agent, url) = (agent(), format!("{}/batch/", options.url));
    let started = Instant::now();
    for body in &bodies {
        let mut answer =
            agent.post(&url).header("content-type", "application/json").send(body).expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.body_mut().read_to_vec().expect("a body");
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{}", json!({ "events_per_second": options.events as f64 / seconds }));
}
