//! Words and numbers as reports show them. Whatever comes from outside (titles, license lines, paths) passes through
//! [`plain`] before it reaches a screen, a page or a NOTICE: it can neither move a cursor nor turn the reading
//! direction nor begin a line that looks like ours.

/// `1654` as `1,654`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun: `1 document`, `1,654 documents`.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{} {noun}s", thousands(number)) }
}

/// A digest's first digits, as people compare them: `sha256:77ab12cd…`.
#[must_use]
pub fn short(digest: &str) -> String {
    match digest.split_once(':') {
        Some((kind, hex)) if hex.len() > 8 => format!("{kind}:{}…", &hex[..8]),
        _ => digest.to_owned(),
    }
}

/// A share of a total, `18.6%`; never `0.0%` for something, never `100.0%` for less than all.
#[must_use]
pub fn percent(part: u64, total: u64) -> String {
    if total == 0 {
        return "no".to_owned();
    }
    let tenths = (u128::from(part) * 1000 + u128::from(total) / 2) / u128::from(total);
    match tenths {
        0 if part > 0 => "under 0.1%".to_owned(),
        1000 if part < total => "over 99.9%".to_owned(),
        _ => format!("{}.{}%", tenths / 10, tenths % 10),
    }
}

/// A share of a total in a column of shares: nothing for nothing.
#[must_use]
pub fn share(part: u64, total: u64) -> String {
    if part == 0 { String::new() } else { percent(part, total) }
}

/// A measured number: whole ones as counts, others with four digits that count.
#[must_use]
pub fn measure(value: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a whole number below 2⁵³"
    )]
    let whole = |value: f64| thousands(value as u64);
    let size = value.abs();
    let sign = if value < 0.0 { "-" } else { "" };
    if !value.is_finite() {
        return value.to_string();
    }
    if size.fract() == 0.0 && size < 9e15 {
        return format!("{sign}{}", whole(size));
    }
    if !(1e-4..1e9).contains(&size) {
        return format!("{value:.3e}");
    }
    #[expect(clippy::cast_possible_truncation, reason = "between -4 and 9")]
    let before = size.log10().floor() as i32;
    let decimals = usize::try_from(3 - before).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Microseconds as seconds, `1.23`.
#[must_use]
pub fn seconds(microseconds: u64) -> String {
    let hundredths = microseconds / 10_000;
    format!("{}.{:02}", thousands(hundredths / 100), hundredths % 100)
}

/// Bytes a second as millions of them, `12.3`.
#[must_use]
pub fn rate(bytes: u64) -> String {
    let tenths = bytes / 100_000;
    format!("{}.{}", thousands(tenths / 10), tenths % 10)
}

/// Foreign words on one line: white space becomes one space, what cannot be seen or turns the direction becomes `�`.
#[must_use]
pub fn plain(text: &str) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The first words of a claim, on one line.
#[must_use]
pub fn excerpt(raw: &str) -> String {
    const LONGEST: usize = 60;
    let plain = plain(raw);
    match plain.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

/// Text with line feeds kept and every other character that cannot be seen replaced: the last thing that happens to a
/// report, so that no field can be forgotten.
#[must_use]
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if c != '\n' && is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Lines under a header, aligned.
#[must_use]
pub fn grid(names: &[String], lines: &[Vec<String>], right: &[bool]) -> String {
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|l| l.get(column)).chain(names.get(column));
        cells.map(|c| c.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let rule: Vec<String> = widths.iter().map(|w| "-".repeat(*w)).collect();
    let mut text = String::new();
    for line in [names, &rule].into_iter().chain(lines.iter().map(Vec::as_slice)) {
        let cells = line.iter().zip(&widths).zip(right);
        let padded = cells.map(|((c, w), right)| if *right { format!("{c:>w$}") } else { format!("{c:w$}") });
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Control characters, separators of lines and paragraphs, and the marks that turn or isolate directions or join
/// nothing (Unicode Bidi_Control and zero-width characters).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_654_321].map(thousands), ["0", "999", "1,000", "1,654,321"]);
        assert_eq!([counted(1, "document"), counted(1000, "document")], ["1 document", "1,000 documents"]);
        assert_eq!(percent(186, 1000), "18.6%");
        assert_eq!(percent(1, 1_000_000), "under 0.1%");
        assert_eq!(percent(999_999, 1_000_000), "over 99.9%");
        assert_eq!(percent(7, 7), "100.0%");
        assert_eq!(percent(0, 0), "no");
        assert_eq!([share(0, 7), share(7, 7)], ["", "100.0%"]);
        let measured = [0.0, 12.0, -3.0, 0.5, 0.123_456, 1234.56, 1e-7, 2.5e16, f64::NAN].map(measure);
        assert_eq!(measured, ["0", "12", "-3", "0.5", "0.1235", "1235", "1.000e-7", "2.500e16", "NaN"]);
        assert_eq!([seconds(1_234_567), seconds(0)], ["1.23", "0.00"]);
        assert_eq!(rate(12_345_678), "12.3");
    }

    #[test]
    fn foreign_words_stay_on_their_line_and_in_their_direction() {
        assert_eq!(excerpt("a\n b\u{1b}"), "a b\u{fffd}");
        assert_eq!(excerpt(&"x".repeat(99)).chars().count(), 61);
        assert_eq!(plain("Evil\r\nYES\t\u{202e}live\u{2066}\u{feff}"), "Evil YES \u{fffd}live\u{fffd}\u{fffd}");
        assert_eq!(visible("two\nlines\u{7}"), "two\nlines\u{fffd}");
        assert_eq!(plain("© 2024 Žofie Ångström, 株式会社"), "© 2024 Žofie Ångström, 株式会社");
    }
}
