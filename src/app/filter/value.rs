//! What a field of a row holds and what it is compared with: text, numbers, durations, quantities.
//!
//! All that is measured is one number here (durations in seconds), so that comparing is one thing; which units a
//! written value may have is the field's measure.

use jiff::SignedDuration;
use std::borrow::Cow;

/// How the values of a field are written and compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Measure {
    #[default]
    Text,
    Number,
    /// `90s`, `5m`, `1h30m`, `2d`.
    Duration,
    /// As Kubernetes writes them: `500m`, `10Gi`.
    Quantity,
}

impl Measure {
    /// With an article, for a complaint.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a number such as 3",
            Self::Duration => "a duration such as 90s, 5m or 2d",
            Self::Quantity => "a quantity such as 500Mi or 10Gi",
        }
    }
}

/// What a row has in a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Fact<'a> {
    #[default]
    None,
    Text(Cow<'a, str>),
    Number(f64),
    /// Several at once, as the roles of a node: it has what any of them is.
    Any(Vec<Fact<'a>>),
}

impl<'a> Fact<'a> {
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::None } else { Self::Text(text) }
    }

    pub fn any<T: Into<Cow<'a, str>>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::Any(texts.into_iter().map(Self::text).collect())
    }

    pub fn duration(duration: SignedDuration) -> Self {
        Self::Number(duration.as_secs_f64())
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody counts beyond 2^53 pods")]
    pub fn count(many: usize) -> Self {
        Self::Number(many as f64)
    }

    /// Reads a cell back: what is shown is what can be asked for.
    pub fn of_cell(text: &str, measure: Measure) -> Fact<'static> {
        match measure {
            _ if matches!(text, "" | "-") => Fact::None,
            Measure::Text if text.contains(',') => Fact::any(text.split(',').map(str::to_owned)),
            Measure::Text => Fact::text(text.to_owned()),
            Measure::Number | Measure::Duration | Measure::Quantity => {
                Amount::parse(text, measure).map_or(Fact::None, |amount| Fact::Number(amount.least))
            }
        }
    }
}

/// A written amount: `5m` is what is shown as 5m, from there up to 6m.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amount {
    pub least: f64,
    /// The unit of its last part, 0 where it is exact.
    grain: f64,
}

impl Amount {
    pub fn parse(text: &str, measure: Measure) -> Option<Self> {
        match measure {
            Measure::Text => None,
            Measure::Number => number(text).map(|least| Self { least, grain: 0.0 }),
            Measure::Duration => duration(text),
            Measure::Quantity => quantity(text).map(|least| Self { least, grain: 0.0 }),
        }
    }

    pub fn is(self, number: f64) -> bool {
        number >= self.least && (number <= self.least || number < self.least + self.grain)
    }
}

/// A decimal number; nothing that a float may be besides.
fn number(text: &str) -> Option<f64> {
    let is_decimal = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
    if is_decimal { text.parse().ok() } else { None }
}

fn duration(text: &str) -> Option<Amount> {
    let (mut least, mut grain, mut rest) = (0.0, f64::INFINITY, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0)?;
        let unit = match rest.as_bytes().get(digits)? {
            b's' => 1.0,
            b'm' => 60.0,
            b'h' => 3600.0,
            b'd' => 86_400.0,
            b'w' => 7.0 * 86_400.0,
            b'y' => 365.0 * 86_400.0,
            _ => return None,
        };
        // From the largest unit to the smallest, each once: anything else is a slip.
        if unit >= grain {
            return None;
        }
        least += rest[..digits].parse::<f64>().ok()? * unit;
        (grain, rest) = (unit, &rest[digits + 1..]);
    }
    (!text.is_empty()).then_some(Amount { least, grain })
}

fn quantity(text: &str) -> Option<f64> {
    let end =
        text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    let factor = match suffix {
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        exponent => {
            let exponent: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            10_f64.powi(exponent)
        }
    };
    Some(number(digits)? * factor)
}

/// Text to be equal to, in any case; `*` stands for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    /// In lower case, what stands between the stars.
    parts: Vec<String>,
}

impl Glob {
    pub fn new(text: &str) -> Self {
        Self { parts: text.split('*').map(str::to_lowercase).collect() }
    }

    pub fn is(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|only| is_same(only, text));
        };
        let text = text.to_lowercase();
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

fn is_same(lower: &str, text: &str) -> bool {
    lower.eq_ignore_ascii_case(text) || (!text.is_ascii() && lower == text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_the_units_of_their_measure() {
        for (text, measure, least) in [
            ("3", Measure::Number, Some(3.0)),
            ("-2.5", Measure::Number, Some(-2.5)),
            ("inf", Measure::Number, None),
            ("", Measure::Number, None),
            ("5m", Measure::Duration, Some(300.0)),
            ("1h30m", Measure::Duration, Some(5400.0)),
            ("2d4h", Measure::Duration, Some(187_200.0)),
            ("5", Measure::Duration, None),
            ("m", Measure::Duration, None),
            ("5m1h", Measure::Duration, None),
            ("5m5m", Measure::Duration, None),
            ("10Gi", Measure::Quantity, Some(10_737_418_240.0)),
            ("500m", Measure::Quantity, Some(0.5)),
            ("1e3", Measure::Quantity, Some(1000.0)),
            ("1e", Measure::Quantity, None),
            ("Gi", Measure::Quantity, None),
            ("3", Measure::Text, None),
        ] {
            assert_eq!(
                Amount::parse(text, measure).map(|amount| amount.least),
                least,
                "{text:?} {measure:?}"
            );
        }
    }

    #[test]
    fn a_duration_is_all_that_is_shown_like_it() {
        let five = Amount::parse("5m", Measure::Duration).unwrap();
        assert!(five.is(300.0) && five.is(359.9) && !five.is(360.0) && !five.is(299.9));
        let three = Amount::parse("3", Measure::Number).unwrap();
        assert!(three.is(3.0) && !three.is(3.5));
    }

    #[test]
    fn stars_stand_for_anything_and_cases_for_each_other() {
        for (glob, text, is) in [
            ("worker-2", "Worker-2", true),
            ("worker-2", "worker-22", false),
            ("worker-*", "worker-22", true),
            ("*-2", "worker-2", true),
            ("w*-*2", "worker-12", true),
            ("a*a", "a", false),
            ("*", "", true),
            ("*b*b*", "abc", false),
            ("ü*", "Über", true),
            ("über", "ÜBER", true),
        ] {
            assert_eq!(Glob::new(glob).is(text), is, "{glob} {text}");
        }
    }
}
