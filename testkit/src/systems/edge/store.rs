//! The edge's store in `SQLite`, which can be inspected with `sqlite3`. Of a token it stores only the hash.

use std::path::Path;

use candor::Hashed;
use rusqlite::{Connection, OptionalExtension, params};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::rules::Accepted;

/// The edge's store.
pub struct Store {
    connection: Connection,
    days: i64,
}

/// One stored record.
#[derive(Clone, Debug)]
pub struct Row {
    pub event: String,
    pub distinct_id: String,
    pub record: String,
    /// The names that were removed, separated by commas.
    pub dropped: String,
    pub at: String,
    pub expires_at: String,
    pub ip: Option<String>,
    pub country: Option<String>,
}

/// An account of the platform, found by a token.
pub struct Account {
    pub name: String,
    pub allows: bool,
}

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS records (
        id INTEGER PRIMARY KEY,
        event TEXT NOT NULL,
        distinct_id TEXT NOT NULL,
        uuid TEXT UNIQUE,
        record TEXT NOT NULL,
        dropped TEXT NOT NULL,
        at TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        ip TEXT,
        country TEXT
    );
    CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, allows INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS tokens (hash TEXT PRIMARY KEY, account TEXT NOT NULL);
";

impl Store {
    pub fn open(path: Option<&Path>, days: i64) -> rusqlite::Result<Self> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.execute_batch(TABLES)?;
        let store = Self { connection, days };
        store.expire(OffsetDateTime::now_utc())?;
        Ok(store)
    }

    /// Stores records, and returns how many were new. A record with a known id is a repetition.
    pub fn insert(&mut self, records: &[Accepted], ip: Option<&str>) -> rusqlite::Result<usize> {
        let transaction = self.connection.transaction()?;
        let mut new = 0;
        for record in records {
            new += transaction.execute(
                "INSERT OR IGNORE INTO records
                 (event, distinct_id, uuid, record, dropped, at, expires_at, ip, country)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    record.event,
                    record.id,
                    record.uuid,
                    record.record.to_string(),
                    record.dropped.join(","),
                    rfc3339(record.at),
                    rfc3339(record.at.saturating_add(Duration::days(self.days))),
                    ip,
                    ip.map(country_of),
                ],
            )?;
        }
        transaction.commit()?;
        Ok(new)
    }

    /// Deletes expired records, and returns their number.
    pub fn expire(&self, now: OffsetDateTime) -> rusqlite::Result<usize> {
        self.connection
            .execute("DELETE FROM records WHERE datetime(expires_at) <= datetime(?1)", [rfc3339(now)])
    }

    pub fn rows(&self) -> rusqlite::Result<Vec<Row>> {
        let mut query = self.connection.prepare(
            "SELECT event, distinct_id, record, dropped, at, expires_at, ip, country FROM records ORDER BY id",
        )?;
        let rows = query.query_map([], |row| {
            Ok(Row {
                event: row.get(0)?,
                distinct_id: row.get(1)?,
                record: row.get(2)?,
                dropped: row.get(3)?,
                at: row.get(4)?,
                expires_at: row.get(5)?,
                ip: row.get(6)?,
                country: row.get(7)?,
            })
        })?;
        rows.collect()
    }

    /// Registers a token of the platform for an account.
    pub fn issue(&self, token: &str, account: &str) -> rusqlite::Result<()> {
        self.connection.execute("INSERT OR IGNORE INTO accounts (name, allows) VALUES (?1, 1)", [account])?;
        let hash = Hashed::new("tok", token).to_string();
        self.connection.execute(
            "INSERT OR REPLACE INTO tokens (hash, account) VALUES (?1, ?2)",
            [hash.as_str(), account],
        )?;
        Ok(())
    }

    /// Sets whether an account allows telemetry.
    pub fn allow(&self, account: &str, allows: bool) -> rusqlite::Result<()> {
        self.connection
            .execute("UPDATE accounts SET allows = ?2 WHERE name = ?1", params![account, allows])
            .map(drop)
    }

    /// Returns the account of a token that the platform has issued, if any.
    pub fn account_of(&self, token: &str) -> rusqlite::Result<Option<Account>> {
        let hash = Hashed::new("tok", token).to_string();
        let query = "SELECT name, allows FROM tokens JOIN accounts ON name = account WHERE hash = ?1";
        let read = |row: &rusqlite::Row<'_>| Ok(Account { name: row.get(0)?, allows: row.get(1)? });
        self.connection.query_row(query, [hash], read).optional()
    }
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// Returns the country of an address. The loopback interface is in none.
fn country_of(_ip: &str) -> &'static str {
    "ZZ"
}
