//! Objects behind a network, and those of the inputs folder beside them. The one place that opens connections: to the
//! hosts that a recipe names, with credentials that the environment holds and nothing of ours writes down.

mod client;
mod store;
mod stream;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use corpus::source::{Found, Inputs, Object, Objects, Unavailable, is_address};
use tokio::runtime::Runtime;

use store::Stores;

/// Gives objects of an inputs folder and of stores.
pub struct Places {
    inputs: Inputs,
    copies: PathBuf,
    network: Mutex<Option<Arc<Network>>>,
}

/// What connections need; made when the first address is asked for.
struct Network {
    runtime: Runtime,
    stores: Stores,
}

impl Places {
    /// Local objects lie in `inputs`; copies of distant ones that must be read out of order are made in `copies`, without
    /// a name.
    #[must_use]
    pub fn new(inputs: &Path, copies: PathBuf) -> Self {
        Self { inputs: Inputs::new(inputs), copies, network: Mutex::default() }
    }

    fn network(&self) -> io::Result<Arc<Network>> {
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = network.as_ref() {
            return Ok(Arc::clone(network));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        Ok(Arc::clone(network.insert(Arc::new(Network { runtime, stores: Stores::default() }))))
    }
}

impl Objects for Places {
    fn head(&self, address: &str) -> io::Result<Found> {
        if !is_address(address) {
            return self.inputs.head(address);
        }
        let network = self.network()?;
        let (store, path) = network.stores.at(address)?;
        let meta = network.runtime.block_on(object_store::ObjectStoreExt::head(store.as_ref(), &path));
        Ok(stream::found(address, String::new(), &meta.map_err(|e| unavailable(address, &e))?))
    }

    fn list(&self, prefix: &str) -> io::Result<Vec<Found>> {
        if !is_address(prefix) {
            return self.inputs.list(prefix);
        }
        let network = self.network()?;
        let (store, path) = network.stores.at(prefix)?;
        let listed: Result<Vec<_>, _> =
            network.runtime.block_on(futures::TryStreamExt::try_collect(store.list(Some(&path))));
        let below = if path.as_ref().is_empty() { String::new() } else { format!("{path}/") };
        let found = listed.map_err(|e| unavailable(prefix, &e))?.into_iter().filter_map(|meta| {
            let relative = meta.location.as_ref().strip_prefix(&below)?.to_owned();
            Some(stream::found(&format!("{prefix}{relative}"), relative, &meta))
        });
        Ok(found.collect())
    }

    fn object(&self, found: &Found) -> io::Result<Box<dyn Object>> {
        if !is_address(&found.address) {
            return self.inputs.object(found);
        }
        let (network, copies) = (self.network()?, self.copies.clone());
        Ok(Box::new(Distant { network, found: found.clone(), copies }))
    }
}

/// An object behind a network.
struct Distant {
    network: Arc<Network>,
    found: Found,
    copies: PathBuf,
}

impl Object for Distant {
    fn open(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        let (store, path) = self.network.stores.at(&self.found.address)?;
        let stream = stream::Stream::start(&self.network.runtime, store, path, self.found.clone(), offset);
        Ok(Box::new(stream))
    }

    fn file(&self) -> io::Result<File> {
        std::fs::create_dir_all(&self.copies)?;
        let mut file = tempfile::tempfile_in(&self.copies)?;
        io::copy(&mut self.open(0)?, &mut file)?;
        file.rewind()?;
        Ok(file)
    }
}

/// What a store said, with all that it gives as causes; stores leave credentials out of what they say.
fn unavailable(address: &str, error: &dyn std::error::Error) -> io::Error {
    let (mut text, mut cause) = (format!("`{address}`: {error}"), error.source());
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    Unavailable(text).into()
}
