//! The HTTP client of every store: bounded waits, and no host but the one that was asked. A redirect to another host is
//! an error, since the recipe says where text comes from.

use std::time::Duration;

use object_store::client::{ClientConfigKey, ClientOptions, HttpClient, HttpConnector};
use reqwest::redirect::{Attempt, Policy};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may say nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// The most redirects within a host.
const REDIRECTS: usize = 5;

/// Connects as this module says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let plain = options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let client = reqwest::Client::builder()
            .user_agent(concat!("flexmix/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .https_only(!plain)
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .redirect(Policy::custom(same_host))
            .build();
        let client = client.map_err(|e| object_store::Error::Generic { store: "HTTP", source: Box::new(e) })?;
        Ok(HttpClient::new(client))
    }
}

fn same_host(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let place = |url: &reqwest::Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port());
    let here = attempt.previous().last().map(place);
    if here.as_ref() != Some(&place(attempt.url())) {
        let host = attempt.url().host_str().unwrap_or_default().to_owned();
        return attempt.error(format!("it redirects to `{host}`, which the recipe does not name"));
    }
    if attempt.previous().len() > REDIRECTS { attempt.error("too many redirects") } else { attempt.follow() }
}
