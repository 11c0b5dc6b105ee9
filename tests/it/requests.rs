//! Each request is captured once, in its own context, without the values in its path: with the layers alone, and with
//! the example `axum_server` as a program.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

use axum::Router;
use axum::extract::MatchedPath;
use axum::routing::get;
use candor::tower::{CaptureLayer, ContextLayer, RequestSummary};
use candor::{Client, DynamicEvent};
use serde_json::{Value, json};

use testkit::clients::{LONG, client, config};
use testkit::{Server, eventually, example};

/// Serves an application until the test ends, and passes its address to `work`.
fn serving(app: Router, work: impl FnOnce(SocketAddr)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, app).await });
    work(address);
    runtime.shutdown_background();
}

fn request(address: SocketAddr, line: &str, user: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head =
        format!("{line} HTTP/1.1\r\nhost: x\r\nx-posthog-distinct-id: {user}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn app(client: &Client) -> Router {
    async fn broken() -> &'static str {
        panic!("in the handler")
    }
    let event = |request: &RequestSummary<'_>| {
        assert_ne!(request.method(), "DELETE", "in the application's function");
        let event = DynamicEvent::in_context("request handled")
            .property("method", request.method())
            .property("route", request.route()?.to_owned())
            .property("status", request.status())
            .property("took", request.duration().as_nanos() > 0);
        Some(event)
    };
    let requests = CaptureLayer::new(event)
        .route(|extensions| Some(extensions.get::<MatchedPath>()?.as_str().to_owned()))
        .client(client.clone());
    let order = get(|| async { "an order" }).delete(|| async { "gone" });
    Router::new()
        .route("/orders/{id}", order)
        .route("/broken", get(broken))
        .layer(requests)
        .layer(ContextLayer::new())
}

#[test]
fn under_load_each_request_is_captured_once_in_its_own_context() {
    let server = Server::start([]);
    let client = client(config(&server));
    serving(app(&client), |address| {
        thread::scope(|scope| {
            for worker in 0..8 {
                scope.spawn(move || {
                    for number in 0..25 {
                        let line = format!("GET /orders/secret-{worker}-{number}?token=hidden");
                        let answer = request(address, &line, &format!("user_{worker}_{number}"));
                        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                    }
                });
            }
        });
        // Requests whose path matches no route, or whose function panics, are not captured.
        assert!(request(address, "GET /nowhere", "nobody").starts_with("HTTP/1.1 404"));
        assert!(request(address, "DELETE /orders/1", "nobody").starts_with("HTTP/1.1 200"));
    });
    client.shutdown(LONG).unwrap();
    let events = server.events();
    let mut users: Vec<&str> = events.iter().filter_map(|event| event["distinct_id"].as_str()).collect();
    users.sort_unstable();
    let mut wanted: Vec<String> =
        (0..8).flat_map(|worker| (0..25).map(move |number| format!("user_{worker}_{number}"))).collect();
    wanted.sort();
    assert_eq!(users, wanted);
    for event in &events {
        let properties = &event["properties"];
        let own: Vec<&Value> = ["method", "route", "status", "took"].map(|name| &properties[name]).to_vec();
        assert_eq!(own, [&json!("GET"), &json!("/orders/{id}"), &json!(200), &json!(true)]);
        let text = event.to_string();
        assert!(!text.contains("secret") && !text.contains("hidden"), "{text}");
    }
}

#[test]
fn a_request_without_a_response_is_captured_once_and_none_while_off() {
    let server = Server::start([]);
    let client = client(config(&server));
    serving(app(&client), |address| {
        // The panic closes the connection.
        assert_eq!(request(address, "GET /broken", "user_1"), "");
        client.flush(LONG).unwrap();
        let events = server.events();
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(
            (&events[0]["distinct_id"], &events[0]["properties"]["status"]),
            (&json!("user_1"), &Value::Null)
        );
        client.shutdown(LONG).unwrap();
        request(address, "GET /orders/1", "user_2");
    });
    assert_eq!(client.stats().captured, 1, "nothing is captured when the client is shut down");
}

/// The running example `axum_server`.
#[cfg(unix)]
struct Example {
    child: Child,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

#[cfg(unix)]
impl Example {
    fn start(sink: &Server) -> Self {
        let mut command = example("axum_server");
        command.args(["--url", &sink.url(), "--listen", "127.0.0.1:0"]).env_clear();
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the example starts");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let mut line = String::new();
        output.read_line(&mut line).expect("its first line");
        let address = line.trim_end().strip_prefix("listening on ").expect("its address");
        let address = address.parse().expect("its address");
        Self { child, output, address }
    }

    /// Presses Ctrl-C, waits until the example exits successfully, and returns everything that it printed.
    fn interrupt(mut self) -> String {
        let id = self.child.id().to_string();
        // Before the handler is installed, the signal would end the process at once.
        eventually("the example to listen for Ctrl-C", || hears_interrupts(&id));
        let sent = Command::new("sh").args(["-c", "kill -INT \"$0\"", &id]).status();
        assert!(sent.expect("a shell").success());
        let mut printed = String::new();
        self.output.read_to_string(&mut printed).expect("its output");
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}: {printed}");
        printed
    }
}

#[cfg(unix)]
impl Drop for Example {
    fn drop(&mut self) {
        // It is still running only if a test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns whether a process has a handler for the interrupt signal, if the system reports it.
#[cfg(unix)]
fn hears_interrupts(id: &str) -> bool {
    const SIGINT: u64 = 1 << 1;
    let Ok(status) = std::fs::read_to_string(format!("/proc/{id}/status")) else { return true };
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & SIGINT != 0)
}

/// Sends a request on a connection that stays open, and returns the status line of the answer.
#[cfg(unix)]
fn keep_alive(connection: &mut BufReader<TcpStream>, line: &str, user: &str) -> String {
    let head = format!("{line} HTTP/1.1\r\nhost: x\r\nx-posthog-distinct-id: {user}\r\n\r\n");
    connection.get_mut().write_all(head.as_bytes()).expect("the request leaves");
    let (mut status, mut length) = (String::new(), 0);
    connection.read_line(&mut status).expect("a status");
    loop {
        let mut header = String::new();
        connection.read_line(&mut header).expect("a header");
        match header.trim_end().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", bytes)) => length = bytes.parse().expect("a length"),
            Some(_) => {}
            None => break,
        }
    }
    connection.read_exact(&mut vec![0; length]).expect("a body");
    status
}

#[cfg(unix)]
#[test]
fn the_example_server_captures_each_request_under_load_and_delivers_all_at_its_end() {
    const THREADS: usize = 8;
    const REQUESTS: usize = 50;
    let sink = Server::start([]);
    let example = Example::start(&sink);
    let connections: Vec<BufReader<TcpStream>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let address = example.address;
                scope.spawn(move || {
                    let mut connection = BufReader::new(TcpStream::connect(address).expect("a connection"));
                    for number in 0..REQUESTS {
                        let path = format!("/orders/secret-{thread}-{number}?token=hidden");
                        let user = format!("user_{thread}_{number}");
                        let (method, status) = told(number);
                        let answer = keep_alive(&mut connection, &format!("{method} {path}"), &user);
                        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
                    }
                    // Without a route there is no event.
                    let answer = keep_alive(&mut connection, "GET /secret", "nobody");
                    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
                    connection
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("the requests of a thread")).collect()
    });
    // The connections are still open, as those of a browser would be.
    let printed = example.interrupt();
    drop(connections);

    let (mut handled, mut viewed) = (BTreeMap::new(), BTreeMap::new());
    for event in sink.events() {
        let text = event.to_string();
        assert!(!text.contains("secret") && !text.contains("hidden"), "{text}");
        let user = event["distinct_id"].as_str().expect("a distinct id").to_owned();
        let properties = &event["properties"];
        let before = match event["event"].as_str() {
            Some("order viewed") => viewed.insert(user, json!([])),
            Some("request handled") => {
                assert!(properties["duration_ms"].as_f64().is_some_and(|took| took > 0.0), "{text}");
                let told = ["method", "route", "status"].map(|name| properties[name].clone());
                handled.insert(user, json!(told))
            }
            _ => panic!("{text}"),
        };
        assert_eq!(before, None, "captured twice: {text}");
    }
    let all = || (0..THREADS).flat_map(|thread| (0..REQUESTS).map(move |number| (thread, number)));
    let user = |(thread, number)| format!("user_{thread}_{number}");
    let wanted: BTreeMap<String, Value> = all()
        .map(|(thread, number)| {
            let (method, status) = told(number);
            (user((thread, number)), json!([method, "/orders/{id}", status]))
        })
        .collect();
    assert_eq!(handled, wanted);
    let wanted: BTreeMap<String, Value> =
        all().filter(|(_, number)| told(*number).1 == 200).map(|at| (user(at), json!([]))).collect();
    assert_eq!(viewed, wanted);
    assert!(printed.ends_with(", 0 lost\n"), "{printed}");
}

/// Returns the method of a request by its number, and the status of its answer: the route does not accept `POST`.
#[cfg(unix)]
fn told(number: usize) -> (&'static str, u16) {
    if number.is_multiple_of(3) { ("POST", 405) } else { ("GET", 200) }
}
