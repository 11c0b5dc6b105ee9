//! The state of the kit: its settings, the places of its files, and the client once it is started.

use std::io;
use std::path::{Path, PathBuf};

use once_cell::sync::OnceCell;
use parking_lot::Mutex;

use super::sender;
use crate::catalogue::Catalogue;
use crate::client::{self, Client};
use crate::clock::Clock;
use crate::config::Config;
use crate::consent::Notice;
use crate::consent::{self, CHOICE_FILE, Facts, Status, spool_dir, state_file};
use crate::error::ErrorKind;
use crate::global::{self, Guard};
use crate::observe::print_failed;
use crate::observe::sent_log::{self, SentLines};
use crate::settings::Env;

/// The state of the kit.
pub(super) struct Kit {
    facts: Facts,
    env: Env,
    catalogue: Option<Catalogue>,
    keeps_log: bool,
    own_files: Vec<PathBuf>,
    /// Whether the client is the kit's own instead of the global one.
    keeps_client: bool,
    /// `Some` until a client is created from it.
    config: Mutex<Option<Config>>,
    /// The running client, or a disabled one that carries the reason why it could not be started.
    client: OnceCell<Result<Guard, Client>>,
}

impl Kit {
    pub(super) fn new(mut config: Config) -> Self {
        config.suit_a_tool();
        if config.asks_for_sender() {
            config.set_has_sender(sender::may_start());
        }
        Self::with(config)
    }

    /// Creates the kit of a process that sends events left by other processes; `None` unless the configuration uses
    /// one.
    pub(super) fn of_sender(mut config: Config) -> Option<Self> {
        config.suit_a_tool();
        let is_asked = config.asks_for_sender();
        config.send_now();
        is_asked.then(|| Self::with(config))
    }

    fn with(mut config: Config) -> Self {
        let env = config.environment();
        Self {
            facts: config.checked_facts(),
            catalogue: config.declared_catalogue().map(|catalogue| catalogue.is_server(config.says_server())),
            env,
            keeps_log: config.keeps_sent_log(),
            own_files: Vec::new(),
            keeps_client: false,
            config: Mutex::new(Some(config)),
            client: OnceCell::new(),
        }
    }

    /// Turns telemetry off for this run. A client that is already running drops what it has captured.
    pub(super) fn turn_off(&mut self) {
        self.facts.consent.no_telemetry_flag = true;
        let config = self.config.get_mut();
        *config = config.take().map(Config::without_telemetry);
        if let Some(Ok(guard)) = self.client.take() {
            guard.client().turn_off();
            self.client = OnceCell::with_value(Err(self.unstarted()));
        }
    }

    /// Keeps the client separate from the global one.
    pub(super) fn keep_client(&mut self) {
        self.keeps_client = true;
    }

    pub(super) fn forget_also(&mut self, path: PathBuf) {
        self.own_files.push(path);
    }

    /// Starts the client on the first call; returns a disabled one with the reason if that fails.
    pub(super) fn client(&self) -> &Client {
        let client = self.client.get_or_init(|| {
            let config = self.config.lock().take().ok_or_else(Client::disabled)?;
            let start = if self.keeps_client { global::guard } else { global::init };
            let is_debugging = config.is_debugging(&self.env);
            start(config).map_err(|error| {
                let other_runs = error.kind() == ErrorKind::AlreadyInitialised;
                let reason = format!("{error:?}");
                print_failed(self.app(), &reason, other_runs, is_debugging);
                Client::failed(self.facts.clone(), self.env.clone(), reason)
            })
        });
        client.as_ref().map_or_else(|disabled| disabled, Guard::client)
    }

    pub(super) fn app(&self) -> &str {
        &self.facts.app
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(super) fn env(&self) -> &Env {
        &self.env
    }

    pub(super) fn catalogue(&self) -> Option<&Catalogue> {
        self.catalogue.as_ref()
    }

    pub(super) fn keeps_log(&self) -> bool {
        self.keeps_log
    }

    pub(super) fn own_files(&self) -> impl Iterator<Item = &Path> {
        self.own_files.iter().map(PathBuf::as_path)
    }

    /// Returns the address of the application's page about telemetry.
    pub(super) fn page(&self) -> Option<&str> {
        match &self.facts.consent.notice {
            Some(Notice::Documented { url }) => Some(url),
            _ => self.catalogue.as_ref().and_then(Catalogue::page_link),
        }
    }

    /// Explains the decision without starting a client.
    pub(super) fn status(&self) -> Status {
        if self.client.get().is_some() {
            return self.client().status();
        }
        match &*self.config.lock() {
            Some(config) => client::status(config),
            None => consent::explain(self.facts.clone(), self.env.clone(), Clock::System.wall()),
        }
    }

    /// Returns the directory of the events that wait on disk, if it is known.
    pub(super) fn spool_dir(&self) -> Option<PathBuf> {
        spool_dir(&self.facts, &self.env)
    }

    /// Returns a client to store the user's answer with; does not start one if none is running.
    pub(super) fn client_of_answers(&self) -> Client {
        match self.client.get() {
            Some(Ok(guard)) => guard.client().clone(),
            _ => self.unstarted(),
        }
    }

    /// Returns a client that stores the user's answer, and never starts.
    pub(super) fn unstarted(&self) -> Client {
        Client::unstarted(self.facts.clone(), self.env.clone())
    }

    pub(super) fn choice_file(&self) -> Option<PathBuf> {
        state_file(&self.facts, &self.env, CHOICE_FILE)
    }

    pub(super) fn log_file(&self) -> Option<PathBuf> {
        state_file(&self.facts, &self.env, sent_log::FILE)
    }

    /// Reads the log of sent requests; `None` if there is none.
    pub(super) fn sent_lines(&self) -> io::Result<Option<SentLines>> {
        self.log_file().map_or(Ok(None), |path| sent_log::read(&path))
    }
}

impl Drop for Kit {
    fn drop(&mut self) {
        let Some(Ok(guard)) = self.client.take() else { return };
        let client = guard.client().clone();
        drop(guard);
        sender::start_if_left(&client);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Kit;
    use crate::catalogue::Catalogue;
    use crate::cli::CommandFinished;
    use crate::config::{ClientSettings, Config};
    use crate::consent::Layer;
    use crate::settings::Env;

    const EVENTS: Catalogue = crate::events![CommandFinished];

    fn config() -> Config {
        Config::new("forge", "1.0.0").env(Env::empty())
    }

    /// Returns the client settings that the kit derives from a configuration.
    fn settings(config: Config) -> ClientSettings {
        let kit = Kit::new(config);
        let config = kit.config.lock().take().unwrap();
        config.resolve(&Env::empty()).unwrap()
    }

    #[cfg(feature = "spool")]
    #[test]
    fn events_are_kept_on_disk_only_if_the_catalogue_says_so() {
        use crate::settings::Spool;

        let spool = |config| settings(config).spool;
        let told = || config().catalogue(EVENTS.kept_on_disk());
        assert_eq!(spool(told()), Some(Spool::cli()));
        assert_eq!(spool(told().short_lived()), Some(Spool::cli()));
        assert_eq!(spool(config()), None);
        assert_eq!(spool(config().catalogue(EVENTS)), None);
        // Explicit settings win, and so does a policy without retries.
        assert_eq!(spool(told().no_spool()), None);
        assert_eq!(spool(config().spool(Spool::cli()).no_spool().catalogue(EVENTS.kept_on_disk())), None);
        assert_eq!(spool(told().max_retries(0)), None);
        assert_eq!(spool(told().spool(Spool::server())), Some(Spool::server()));
    }

    #[test]
    fn a_client_that_cannot_be_started_says_why() {
        let mut kit = Kit::new(config().endpoint("https://t.example.com").api_key("phc_.."));
        kit.keep_client();
        let wanted = "api_key: this is a placeholder";
        assert!(kit.client().disabled_reason().unwrap().starts_with(wanted));
        for status in [kit.client().status(), kit.status()] {
            assert_eq!(status.decided_by, Layer::Runtime);
            assert!(status.to_string().contains(wanted), "{status}");
        }
    }

    #[test]
    fn the_kits_own_default_counts_as_a_declaration() {
        let mut kit = Kit::new(config().endpoint("https://t.example.com"));
        kit.keep_client();
        assert_eq!(
            kit.client().disabled_reason(),
            Some("opt-in: nobody who may grant consent has done so yet")
        );
    }

    #[test]
    fn a_tool_is_not_a_server_unless_it_says_so() {
        let tool = settings(config());
        assert_eq!((tool.retry.max_retries, tool.shutdown_timeout), (Some(0), Duration::from_millis(400)));
        let own = config().is_server(true).max_retries(3).shutdown_timeout(Duration::from_secs(9));
        let own = settings(own.sent_log(false));
        assert_eq!((own.retry.max_retries, own.shutdown_timeout), (Some(3), Duration::from_secs(9)));
        let says = |config: Config| {
            let kit = Kit::new(config.catalogue(EVENTS));
            let said =
                kit.config.lock().as_ref().map(|config| (config.says_server(), config.keeps_sent_log()));
            let catalogue = kit.catalogue().unwrap();
            assert_eq!(Some(catalogue.is_server), said.map(|(is_server, _)| is_server));
            said
        };
        assert_eq!(says(config()), Some((false, true)));
        assert_eq!(says(config().is_server(true).sent_log(false)), Some((true, false)));
    }
}
