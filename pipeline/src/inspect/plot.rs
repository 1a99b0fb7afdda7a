//! Plots as inline SVG: no script, no fetch, colours from the page's own style, and every number also in words.

use maud::{Markup, html};

use super::{Bin, Histogram};
use crate::words::{counted, measure, thousands};

/// A plot's size in its own units; the page scales it.
const WIDTH: u64 = 320;
const HEIGHT: u64 = 84;
/// Space below for the two outer edges.
const AXIS: u64 = 18;

/// A histogram with its caption; bars are stacked from what was kept over what was held out to what was dropped.
pub(super) fn histogram(histogram: &Histogram) -> Markup {
    html! {
        figure {
            figcaption { b { (histogram.title) } " " span.soft { (range(histogram)) } }
            (columns(histogram))
        }
    }
}

fn range(histogram: &Histogram) -> String {
    let said = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), measure);
    let (lowest, median, highest) = (said(histogram.lowest), said(histogram.median), said(histogram.highest));
    let scale = if histogram.doubles() { "; each bar is twice as wide as the one before" } else { "" };
    format!("{lowest} to {highest}, median {median}, {}{scale}", counted(histogram.documents, "document"))
}

fn columns(histogram: &Histogram) -> Markup {
    let bins = &histogram.bins;
    let most = bins.iter().map(Bin::documents).max().unwrap_or(0).max(1);
    let count = (bins.len() as u64).max(1);
    let left = |n: usize| n as u64 * WIDTH / count;
    let spoken = format!("{}: {}; most in one bar: {}", histogram.title, range(histogram), thousands(most));
    let view = format!("0 0 {WIDTH} {}", HEIGHT + AXIS);
    html! {
        svg.plot viewBox=(view) role="img" aria-label=(spoken) {
            @for (n, bin) in bins.iter().enumerate().filter(|(_, bin)| bin.documents() > 0) {
                (column(bin, left(n), (left(n + 1) - left(n)).saturating_sub(1).max(1), most))
            }
            line.rule x1="0" y1=(HEIGHT) x2=(WIDTH) y2=(HEIGHT) {}
            @if let (Some(first), Some(last)) = (bins.first(), bins.last()) {
                text.axis x="0" y=(HEIGHT + 14) { (measure(first.from)) }
                text.axis.end x=(WIDTH) y=(HEIGHT + 14) text-anchor="end" { (measure(last.to)) }
            }
        }
    }
}

/// One bar. What is there at all is at least one unit high.
fn column(bin: &Bin, left: u64, width: u64, most: u64) -> Markup {
    let scale = |n: u64| {
        let height = u128::from(n) * u128::from(HEIGHT) / u128::from(most);
        u64::try_from(height).unwrap_or(HEIGHT).max(u64::from(n > 0))
    };
    let parts = [("yes", bin.kept), ("part", bin.held_out), ("no", bin.dropped)];
    let below = |at: usize| parts[..at].iter().map(|p| scale(p.1)).sum::<u64>();
    let words = format!(
        "{} to {}: {} kept, {} held out, {} dropped",
        measure(bin.from),
        measure(bin.to),
        thousands(bin.kept),
        thousands(bin.held_out),
        thousands(bin.dropped)
    );
    html! {
        g {
            title { (words) }
            @for (at, (class, n)) in parts.iter().enumerate().filter(|(_, p)| p.1 > 0) {
                rect class=(class) x=(left) y=(HEIGHT.saturating_sub(below(at) + scale(*n))) width=(width) height=(scale(*n)) {}
            }
        }
    }
}

/// What the colours mean.
pub(super) fn legend() -> Markup {
    html! {
        p.legend {
            span.key.yes {} "kept for training " span.key.part {} "held out " span.key.no {} "dropped"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_high_as_its_share_and_never_gone() {
        let bin = |kept, dropped| Bin { from: 0.0, to: 1.0, kept, held_out: 0, dropped };
        let drawn = column(&bin(1_000_000, 1), 0, 10, 1_000_001).into_string();
        assert!(drawn.contains(r#"class="yes" x="0" y="1" width="10" height="83""#), "{drawn}");
        assert!(drawn.contains(r#"class="no" x="0" y="0" width="10" height="1""#), "{drawn}");
    }
}
