//! HTTP/1.1 with keep-alive, using ureq. Never follows a redirect, and never logs a header.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use ureq::{Agent, Body, ProxyProtocol};

use super::{Request, Response, SendError, Transport, tls};
use crate::consent::Granted;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::{Endpoint, Http, Proxy};

/// The size of the output buffer in bytes, allocated with the first request and kept with the connection. A burst of
/// full batches took no more processor time than with 256 KiB, while a process with many clients needs half the memory.
const SEND_BUFFER: usize = 64 * 1024;

/// The size of the input buffer in bytes: room for the largest head of a response.
const RECEIVE_BUFFER: usize = 2 * MAX_HEAD;

/// The maximum size of a response's head in bytes, as in common servers and proxies.
const MAX_HEAD: usize = 16 * 1024;

/// The transport that a client uses unless the application sets another.
pub(crate) struct HttpTransport {
    agent: Agent,
    headers: Vec<(String, String)>,
    is_aborted: AtomicBool,
    /// Why nothing can be sent: the proxy named by the environment is invalid, and it must not be bypassed.
    no_way: Option<&'static str>,
}

impl HttpTransport {
    /// Creates the transport; no socket is opened before the first request.
    pub(crate) fn new(_granted: Granted, settings: &Http, endpoint: &Endpoint) -> Result<Self> {
        if cfg!(telemetry_off) {
            // Consent is never granted in such a build. The check here lets the linker leave out TLS and HTTP.
            return Err(Error::new(
                ErrorKind::Transport,
                "telemetry is left out of this build; build it without `--cfg telemetry_off` to send",
            ));
        }
        warn_of_trace();
        let (proxy, no_way) = match settings.proxy.as_ref().map(parse_proxy).transpose() {
            Ok(proxy) => (proxy, None),
            Err(why) => {
                // The application does not control its environment, so this must not make its start fail.
                log::warn!(target: "candor", "nothing can be sent: {why}");
                (None, Some(why))
            }
        };
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            // Following a redirect could send events to an endpoint that nobody consented to.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(settings.resolve))
            .timeout_connect(Some(settings.connect))
            .timeout_recv_response(Some(settings.total))
            .timeout_per_read(Some(settings.read))
            .timeout_global(Some(settings.total))
            .user_agent(settings.user_agent.as_str())
            .accept("application/json")
            .max_idle_connections(1)
            .output_buffer_size(SEND_BUFFER)
            .input_buffer_size(RECEIVE_BUFFER)
            .max_response_header_size(MAX_HEAD)
            .proxy(proxy);
        if endpoint.is_https() {
            config = tls::with_tls(config)?;
        }
        Ok(Self {
            agent: config.build().new_agent(),
            headers: settings.headers.clone(),
            is_aborted: AtomicBool::new(false),
            no_way,
        })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: &Request<'_>) -> std::result::Result<Response, SendError> {
        if let Some(why) = self.no_way {
            return Err(SendError::NotSent(why.to_owned()));
        }
        let mut post = self.agent.post(request.url);
        for (name, value) in request.headers {
            post = post.header(*name, value);
        }
        for (name, value) in &self.headers {
            post = post.header(name, value);
        }
        let answered = post.config().timeout_global(Some(request.timeout)).build().send(request.body);
        match answered {
            Ok(response) => Ok(read(response, request.max_response_bytes)),
            Err(_) if self.is_aborted.load(Ordering::Acquire) => Err(SendError::Aborted),
            Err(error) => Err(classify(&error)),
        }
    }

    fn abort(&self) {
        self.is_aborted.store(true, Ordering::Release);
        self.agent.clone().shutdown();
    }
}

/// Warns if header values can end up in a log: at level trace, ureq's protocol library prints the bytes of request
/// heads.
fn warn_of_trace() {
    if log::log_enabled!(target: "ureq_proto::util", log::Level::Trace) {
        log::warn!(target: "candor", "the log target `ureq_proto` is at level trace, which prints request headers and the tokens in them; lower its level");
    }
}

/// Reads the response. A body that breaks off does not change the status.
fn read(received: ureq::http::Response<Body>, max: usize) -> Response {
    let (parts, mut body) = received.into_parts();
    let retry_after = parts.headers.get("retry-after").and_then(|value| value.to_str().ok());
    let mut response = Response::status(parts.status.as_u16());
    response.retry_after = retry_after.map(str::to_owned);
    let limit = u64::try_from(max).unwrap_or(u64::MAX);
    let mut reader = body.as_reader().take(limit.saturating_add(1));
    let ended = reader.read_to_end(&mut response.body).is_ok();
    response.is_complete = ended && response.body.len() <= max;
    response.body.truncate(max);
    response
}

/// Distinguishes requests that were never sent, requests that may have arrived, and unreadable responses.
fn classify(error: &ureq::Error) -> SendError {
    use std::io::ErrorKind as Io;
    let text = error.to_string();
    match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::BadUri(_)
        | ureq::Error::InvalidProxyUrl
        | ureq::Error::Tls(_)
        | ureq::Error::Http(_)
        | ureq::Error::ConnectProxyFailed(_)
        | ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => SendError::NotSent(text),
        ureq::Error::Io(cause)
            if matches!(
                cause.kind(),
                Io::ConnectionRefused
                    | Io::NotFound
                    | Io::HostUnreachable
                    | Io::NetworkUnreachable
                    | Io::NetworkDown
                    | Io::AddrNotAvailable
            ) || is_of_resolver(cause) =>
        {
            SendError::NotSent(text)
        }
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => SendError::BadResponse(text),
        _ => SendError::Unknown(text),
    }
}

/// Returns whether a name could not be resolved; the standard library has no error kind for this.
fn is_of_resolver(error: &std::io::Error) -> bool {
    match error.raw_os_error() {
        // The codes of Windows, from `WSAHOST_NOT_FOUND` to `WSANO_DATA`.
        Some(code) => cfg!(windows) && (11_001..=11_004).contains(&code),
        None => error.to_string().starts_with("failed to lookup address information"),
    }
}

/// Converts the environment's proxy to ureq's type, with the hosts that bypass it.
fn parse_proxy(proxy: &Proxy) -> std::result::Result<ureq::Proxy, &'static str> {
    // The URL may contain a password, so neither it nor ureq's error is repeated.
    let wrong = |_| "proxy: the proxy variable in the environment is not a valid URL; correct or unset it";
    let plain = ureq::Proxy::new(&proxy.url).map_err(wrong)?;
    if !matches!(plain.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) {
        return Err(
            "proxy: the proxy variable in the environment must name an http or https proxy; correct or unset it",
        );
    }
    let mut builder = ureq::Proxy::builder(plain.protocol()).host(plain.host()).port(plain.port());
    if let Some(user) = plain.username() {
        builder = builder.username(user);
    }
    if let Some(password) = plain.password() {
        builder = builder.password(password);
    }
    for exception in proxy.exceptions.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        builder = builder.no_proxy(exception);
    }
    builder.build().map_err(wrong)
}
