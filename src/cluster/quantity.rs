//! Amounts as the API writes them: `1Gi`, `250m`, `1.5e3`.

/// What it stands for in thousandths, rounded up; `None` for what is no amount, or too large.
pub fn millis(written: &str) -> Option<u64> {
    let end = written.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, suffix) = written.split_at(end);
    // In thousand-millionths, so that no suffix is a fraction.
    let nanos: u128 = match suffix {
        "n" => 1,
        "u" => 1000,
        "m" => 1_000_000,
        "" => 1_000_000_000,
        "Ki" => 1_000_000_000 << 10,
        "Mi" => 1_000_000_000 << 20,
        "Gi" => 1_000_000_000 << 30,
        "Ti" => 1_000_000_000 << 40,
        "Pi" => 1_000_000_000 << 50,
        "Ei" => 1_000_000_000 << 60,
        "k" => 10_u128.pow(12),
        "M" => 10_u128.pow(15),
        "G" => 10_u128.pow(18),
        "T" => 10_u128.pow(21),
        "P" => 10_u128.pow(24),
        "E" => 10_u128.pow(27),
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            10_u128.checked_pow(u32::try_from(power.checked_add(9)?).ok()?)?
        }
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let nanos = digits.checked_mul(nanos)?.div_ceil(scale);
    u64::try_from(nanos.div_ceil(1_000_000)).ok()
}
