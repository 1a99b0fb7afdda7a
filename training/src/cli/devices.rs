//! What this machine offers, and whether the bits hold on it: a row of a product by itself, on one thread and on all.

use tch::{Device, Kind, Tensor};
use training::Result;
use training::model::linear;
use training::rng::Stream;

use super::args::{DevicesArgs, Format};
use super::say;

pub(crate) fn run(args: &DevicesArgs) -> Result<()> {
    let threads = args.threads.unwrap_or_else(tch::get_num_threads).max(1);
    let (rows, across) = (rows_hold(threads), threads_hold(threads));
    let build = env!("FLEXMIX_TORCH_BUILD");
    match args.format {
        Format::Json => say(&serde_json::json!({
            "schema": "flexmix/devices/v1", "libtorch": "2.11.0", "build": build,
            "contract": manifests::build::CONTRACT, "device": "cpu", "threads": threads, "dtypes": ["float32"],
            "cuda": tch::Cuda::is_available(), "row_invariant": rows, "thread_invariant": across,
        })
        .to_string()),
        Format::Human => {
            say(&format!("flexmix-torch build {build}, contract {}", manifests::build::CONTRACT));
            say("libtorch      2.11.0 (tch 0.24.0)");
            say(&format!("device        cpu, {threads} threads, float32"));
            let cuda = if tch::Cuda::is_available() { "seen, not used by this build" } else { "not seen" };
            say(&format!("cuda          {cuda}"));
            let word = |holds| if holds { "holds" } else { "FAILS: answers may differ from those of a merged model" };
            say(&format!("row bits      {}", word(rows)));
            say(&format!("thread bits   {}", word(across)));
        }
    }
    Ok(())
}

fn random(name: &str, shape: &[i64]) -> Tensor {
    let stream = Stream::new(1, name);
    let n: i64 = shape.iter().product();
    let values: Vec<f64> = (0..n.unsigned_abs()).map(|i| stream.normal(i)).collect();
    Tensor::from_slice(&values).view(shape).to_kind(Kind::Float).to_device(Device::Cpu)
}

const SHAPES: [(i64, i64); 4] = [(256, 704), (704, 256), (256, 256), (32, 704)];

/// Whether every prefix of rows has the bits that it has within the whole.
fn rows_hold(threads: i32) -> bool {
    tch::set_num_threads(threads);
    SHAPES.iter().all(|&(into, out)| {
        let (x, weight) = (random("x", &[96, into]), random("w", &[out, into]));
        let whole = linear(&x, &weight);
        (1..96).all(|n| linear(&x.narrow(0, 0, n), &weight).equal(&whole.narrow(0, 0, n)))
    })
}

/// Whether one thread gives the bits that all give, forward and backward.
fn threads_hold(threads: i32) -> bool {
    let results: Vec<Vec<Tensor>> = [1, threads].into_iter().map(products).collect();
    results[0].iter().zip(&results[1]).all(|(a, b)| a.equal(b))
}

fn products(threads: i32) -> Vec<Tensor> {
    tch::set_num_threads(threads);
    SHAPES
        .iter()
        .flat_map(|&(into, out)| {
            let (x, weight) = (random("x", &[512, into]), random("w", &[out, into]).set_requires_grad(true));
            let y = linear(&x, &weight);
            let gradient = Tensor::run_backward(&[(&y * &y).sum(Kind::Float)], &[&weight], false, false);
            std::iter::once(y.detach()).chain(gradient).collect::<Vec<_>>()
        })
        .collect()
}
