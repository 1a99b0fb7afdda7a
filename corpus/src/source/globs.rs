//! Path patterns of a recipe: `*` and `?` stay inside a folder, `**` crosses folders, `{a,b}` is a choice.

use regex::Regex;

/// Patterns of which one must match the whole path.
#[derive(Clone, Debug, Default)]
pub struct Globs(Vec<Regex>);

impl Globs {
    /// Compiles patterns.
    ///
    /// # Errors
    /// The pattern that cannot be compiled, and why.
    pub fn new(patterns: &[String]) -> Result<Self, String> {
        let compile = |p: &String| Regex::new(&translate(p)).map_err(|e| format!("`{p}` is not a pattern: {e}"));
        patterns.iter().map(compile).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is no pattern.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a pattern matches the whole of `path`.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.0.iter().any(|p| p.is_match(path))
    }
}

fn translate(pattern: &str) -> String {
    let mut regex = String::from("^(?s:");
    let mut rest = pattern;
    let mut depth = 0usize;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**/") {
            regex.push_str("(?:[^/]*/)*");
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix("**") {
            regex.push_str(".*");
            rest = after;
            continue;
        }
        match c {
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '{' => {
                depth += 1;
                regex.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                regex.push(')');
            }
            ',' if depth > 0 => regex.push('|'),
            other => regex.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
        rest = &rest[c.len_utf8()..];
    }
    regex.push_str(")$");
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, path: &str, expected: bool) {
        let globs = Globs::new(&[pattern.to_owned()]).unwrap();
        assert_eq!(globs.matches(path), expected, "{pattern} on {path}");
    }

    #[test]
    fn stars_stay_in_their_folder_and_double_stars_do_not() {
        check("docs/*.txt", "docs/a.txt", true);
        check("docs/*.txt", "docs/ref/a.txt", false);
        check("docs/**/*.txt", "docs/ref/deep/a.txt", true);
        check("docs/**/*.txt", "docs/a.txt", true);
        check("docs/**", "docs/ref/a", true);
        check("c{a,b}[0]?", "ca[0]1", true);
        check("*.txt", "a-txt", false);
        check("**/LICENSE*", "LICENSE.md", true);
    }

    #[test]
    fn an_open_choice_is_refused_with_its_text() {
        let error = Globs::new(&["a{b".to_owned()]).unwrap_err();
        assert!(error.starts_with("`a{b` is not a pattern"), "{error}");
    }
}
