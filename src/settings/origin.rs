//! What the environment says about the pipeline: debugging and proxies.

use crate::settings::env::Env;
use crate::settings::groups::Proxy;

/// Returns the prefix of an application's own variables: `my-app` becomes `MY_APP`.
pub(crate) fn variable_prefix(app: &str) -> String {
    app.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// Returns whether `<APP>_TELEMETRY_LOG` requests that batches be printed.
pub(crate) fn asks_for_debug(env: &Env, app: &str) -> bool {
    let name = format!("{}_TELEMETRY_LOG", variable_prefix(app));
    env.text(&name).is_some_and(|level| level.eq_ignore_ascii_case("debug"))
}

/// Returns the proxy for an endpoint from the usual variables.
///
/// Reads `https_proxy` or `http_proxy`, depending on the endpoint's scheme, then `all_proxy`; each in lower case
/// first. `HTTP_PROXY` in capitals is ignored, because under CGI a visitor of a web server can set it.
pub(crate) fn proxy(env: &Env, is_https: bool) -> Option<Proxy> {
    let names: &[&str] = if is_https {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else {
        &["http_proxy", "all_proxy", "ALL_PROXY"]
    };
    let url = names.iter().find_map(|name| env.text(name))?.to_owned();
    let exceptions = ["no_proxy", "NO_PROXY"].iter().find_map(|name| env.text(name)).unwrap_or_default();
    Some(Proxy { url, exceptions: exceptions.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_the_name_in_upper_case() {
        assert_eq!(variable_prefix("granted"), "GRANTED");
        assert_eq!(variable_prefix("cdk-insights 2"), "CDK_INSIGHTS_2");
    }

    #[test]
    fn the_applications_variable_turns_on_debugging() {
        let env = Env::empty().with("GRANTED_TELEMETRY_LOG", " Debug ");
        assert!(asks_for_debug(&env, "granted"));
        assert!(!asks_for_debug(&env, "other"));
        assert!(!asks_for_debug(&Env::empty().with("GRANTED_TELEMETRY_LOG", "info"), "granted"));
    }

    #[test]
    fn the_proxy_follows_the_scheme_and_ignores_http_proxy_in_capitals() {
        let env = Env::empty()
            .with("HTTP_PROXY", "http://cgi")
            .with("https_proxy", "http://secure:3128")
            .with("NO_PROXY", "localhost,.internal");
        assert_eq!(proxy(&env, false), None);
        let found = proxy(&env, true).unwrap();
        assert_eq!(
            (found.url.as_str(), found.exceptions.as_str()),
            ("http://secure:3128", "localhost,.internal")
        );
        assert_eq!(proxy(&Env::empty().with("ALL_PROXY", "http://all"), false).unwrap().url, "http://all");
    }
}
