//! Stores by their addresses: `s3://`, `gs://`, `az://`, and single hosts. Credentials, regions and endpoints come from
//! the environment, by the names that each store's own tools use; a recipe can't hold them.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use super::client::Connector;
use super::unavailable;

/// The stores that were asked for so far, by scheme and host.
#[derive(Default)]
pub(super) struct Stores(Mutex<BTreeMap<String, Arc<dyn ObjectStore>>>);

impl Stores {
    /// The store of an address, and the path in it.
    pub(super) fn at(&self, address: &str) -> io::Result<(Arc<dyn ObjectStore>, Path)> {
        let (root, path) = split(address)?;
        let mut stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(root) {
            return Ok((Arc::clone(store), path));
        }
        let store = store(root).map_err(|e| unavailable(root, &e))?;
        stores.insert(root.to_owned(), Arc::clone(&store));
        Ok((store, path))
    }
}

/// `scheme://host`, and the path of an object or prefix.
pub(super) fn split(address: &str) -> io::Result<(&str, Path)> {
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..].find('/').map_or(address.len(), |at| host + at);
    let (root, path) = (&address[..end], address[end..].trim_matches('/'));
    let path = if root.starts_with("http") { Path::from_url_path(path) } else { Path::parse(path) };
    Ok((root, path.map_err(|e| unavailable(address, &e))?))
}

/// A request is tried again a few times before its error counts; a stream that breaks goes on at its offset elsewhere.
fn retry() -> RetryConfig {
    RetryConfig { max_retries: 4, retry_timeout: Duration::from_secs(60), ..RetryConfig::default() }
}

/// Makes the store of `scheme://host`.
pub(super) fn store(root: &str) -> object_store::Result<Arc<dyn ObjectStore>> {
    let (scheme, host) = root.split_once("://").unwrap_or_default();
    Ok(match scheme {
        "s3" => Arc::new(
            AmazonS3Builder::from_env()
                .with_bucket_name(host)
                .with_http_connector(Connector)
                .with_retry(retry())
                .build()?,
        ),
        "gs" => Arc::new(
            GoogleCloudStorageBuilder::from_env()
                .with_bucket_name(host)
                .with_http_connector(Connector)
                .with_retry(retry())
                .build()?,
        ),
        "az" => Arc::new(
            MicrosoftAzureBuilder::from_env()
                .with_container_name(host)
                .with_http_connector(Connector)
                .with_retry(retry())
                .build()?,
        ),
        // What may be plain was checked with the recipe: this machine alone.
        _ => Arc::new(
            HttpBuilder::new()
                .with_url(root)
                .with_client_options(ClientOptions::new().with_allow_http(scheme == "http"))
                .with_http_connector(Connector)
                .with_retry(retry())
                .build()?,
        ),
    })
}
