//! The edge that receives the events of the examples, as strict as the vendors say theirs is. It stores only what the
//! catalogue names, and never trusts a client about its address.

mod allow;
mod rules;
mod store;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Received, Reply, Server};

pub use rules::{Form, Rules};
pub use store::{Row, Store};

/// A running edge and its store.
pub struct Edge {
    server: Server,
    store: Arc<Mutex<Store>>,
    is_away: Arc<AtomicBool>,
}

impl Edge {
    /// Starts an edge whose store is a file, or in memory if no path is given.
    pub fn start(rules: Rules, path: Option<&Path>) -> rusqlite::Result<Self> {
        let store = Arc::new(Mutex::new(Store::open(path, rules.days)?));
        let is_away = Arc::new(AtomicBool::new(false));
        let server = Server::always(Reply::judged({
            let (store, is_away) = (Arc::clone(&store), Arc::clone(&is_away));
            move |received| {
                if is_away.load(Ordering::SeqCst) {
                    return Reply::status(503).body("the edge is away");
                }
                answer(&rules, &store, received)
            }
        }));
        Ok(Self { server, store, is_away })
    }

    /// Begins or ends an outage, in which whatever comes is refused with 503 and nothing is stored.
    pub fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Returns the requests as they arrived, including refused ones.
    pub fn requests(&self) -> Vec<Received> {
        self.server.requests()
    }

    /// Returns the number of connections.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    pub fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    /// Returns the stored records.
    pub fn rows(&self) -> Vec<Row> {
        self.store().rows().unwrap_or_default()
    }
}

fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(rules: &Rules, store: &Mutex<Store>, received: &Received) -> Reply {
    match take(rules, &mut lock(store), received) {
        Ok(taken) => Reply::status(200).body(format!("{{\"taken\":{taken}}}")),
        Err((status, reason)) => {
            Reply::status(status).body(serde_json::json!({ "error": reason }).to_string())
        }
    }
}

/// Accepts or refuses one request as a whole; returns the number of new records.
fn take(rules: &Rules, store: &mut Store, received: &Received) -> Result<usize, (u16, String)> {
    let refuse = |status: u16, reason: &str| (status, reason.to_owned());
    if received.target != rules.path {
        return Err(refuse(404, "no such path"));
    }
    if received.method != "POST" {
        return Err(refuse(405, "POST only"));
    }
    let failed = |_| refuse(503, "the store is not available");
    let account = if rules.needs_bearer {
        let token = received.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let account = token.map(|token| store.account_of(token)).transpose().map_err(failed)?.flatten();
        Some(account.ok_or_else(|| refuse(401, "a platform session is needed"))?)
    } else {
        None
    };
    if received.body.len() > rules.max_body_bytes {
        return Err(refuse(413, "too large"));
    }
    let accepted = rules.validate(&received.body).map_err(|reason| (400, reason))?;
    if let Some(account) = account {
        if accepted.iter().any(|record| record.id != account.name) {
            return Err(refuse(403, "another account's record"));
        }
        if !account.allows {
            return Err(refuse(403, "the account has switched telemetry off"));
        }
    }
    // The address of the socket: headers and bodies are not trusted.
    let address = rules.keeps_address.then_some("127.0.0.1");
    store.insert(&accepted, address).map_err(failed)
}
