//! When credentials end, read from themselves: a 401 at 3 a.m. is mostly a certificate that is a year old.
//!
//! It deliberately verifies nothing and trusts nothing: what it reads goes into messages only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;

/// When a client certificate ends, given as PEM.
pub(super) fn of_certificate(pem: &[u8]) -> Option<Timestamp> {
    let certificate = CertificateDer::from_pem_slice(pem).ok()?;
    let (_, certificate, _) = element(&certificate)?;
    let (_, body, _) = element(certificate)?;
    // An explicit version may stand before serial number, algorithm and issuer; then comes the validity.
    let (tag, _, after_first) = element(body)?;
    let from_serial = if tag == VERSION { after_first } else { body };
    let from_validity = (0..3).try_fold(from_serial, |rest, _| element(rest).map(|(_, _, rest)| rest))?;
    let (_, validity, _) = element(from_validity)?;
    let (_, _, from_end) = element(validity)?;
    let (tag, end, _) = element(from_end)?;
    let end = str::from_utf8(end).ok()?.strip_suffix('Z')?;
    let end = match tag {
        // Two digits of a year, which are of this century up to 49.
        UTC_TIME if end < "5" => format!("20{end}"),
        UTC_TIME => format!("19{end}"),
        _ => end.to_owned(),
    };
    let end = DateTime::strptime("%Y%m%d%H%M%S", end).ok()?;
    end.to_zoned(TimeZone::UTC).ok().map(|end| end.timestamp())
}

/// When a token ends, where it is a JWT that says so.
pub(super) fn of_token(token: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: i64,
    }
    let claims = token.split('.').nth(1)?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Timestamp::from_second(claims.exp).ok()
}

const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;

/// The first element of some DER: its tag, what is in it, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        // The length of the length: no certificate has more than four gigabytes.
        let (bytes, rest) =
            rest.split_at_checked(usize::from(first & 0x7f)).filter(|(bytes, _)| bytes.len() <= 4)?;
        (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
    };
    let (inside, after) = rest.split_at_checked(length)?;
    Some((tag, inside, after))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32) -> String {
        let mut params = CertificateParams::new(["lab".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 2, 3);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn the_end_of_a_certificate_is_read() {
        for year in [1999, 2025, 2049, 2050, 2125] {
            let end = of_certificate(certificate(year).as_bytes()).unwrap();
            assert_eq!(end.to_string(), format!("{year}-02-03T00:00:00Z"));
        }
    }

    #[test]
    fn rubbish_has_no_end() {
        assert_eq!(of_certificate(b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), None);
        assert_eq!(of_certificate(b""), None);
        let whole = certificate(2025);
        let der = CertificateDer::from_pem_slice(whole.as_bytes()).unwrap();
        for length in 0..der.len() {
            assert_eq!(element(&der[..length]), None, "cut at {length}");
        }
    }

    #[test]
    fn the_end_of_a_token_is_read() {
        let token = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(r#"{"sub":"ada","exp":1893456000}"#));
        assert_eq!(of_token(&token).unwrap().to_string(), "2030-01-01T00:00:00Z");
        assert_eq!(of_token("opaque"), None);
        assert_eq!(of_token("a.b.c"), None);
    }
}
