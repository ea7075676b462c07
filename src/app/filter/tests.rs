//! What each form of the language keeps, what is refused and how, and that nothing fails.

use super::*;
use proptest::prelude::*;

const FIELDS: [Field; 5] = [
    field("namespace", "NAMESPACE", Measure::Text),
    field("node", "WANTED ON", Measure::Text),
    field("restarts", "RESTARTS", Measure::Number),
    field("age", "AGE", Measure::Duration),
    field("capacity", "SIZE", Measure::Quantity),
];

const fn field(id: &'static str, title: &'static str, measure: Measure) -> Field {
    Field { id, title, measure }
}

/// data/postgres-1, Terminating on worker-2.
struct Row;

impl Subject for Row {
    fn words(&self) -> Cow<'_, str> {
        Cow::Borrowed("data/postgres-1 Terminating worker-2 StatefulSet/postgres")
    }

    fn fact(&self, field: usize) -> Fact<'_> {
        match FIELDS[field].id {
            "namespace" => Fact::text("data"),
            "node" => Fact::any(["worker-2", "worker-7"]),
            "restarts" => Fact::Number(4.0),
            "age" => Fact::Number(330.0),
            _ => Fact::None,
        }
    }

    fn labels(&self, key: &str) -> Vec<Text> {
        match key {
            "app.kubernetes.io/name" => vec!["Postgres".into()],
            _ => Vec::new(),
        }
    }
}

fn keeps(filter: &str) -> bool {
    let filter = Filter::parse(filter, &FIELDS).unwrap_or_else(|error| panic!("{filter}: {error}"));
    filter.is_none_or(|mut filter| filter.keeps(&Row))
}

#[test]
fn what_each_form_keeps() {
    for (filter, is_kept) in [
        ("", true),
        ("  ", true),
        // Words, loosely, each within one word of the row.
        ("pgres", true),
        ("term work", true),
        ("datworker", false),
        ("worker-3", false),
        ("POSTGRES", false),
        ("it's", false),
        // Its contrary.
        ("!kafka", true),
        ("!postgres", false),
        ("!!postgres", true),
        ("!node=worker-2", false),
        // As it stands.
        ("\"postgres-1 Term\"", true),
        ("'POSTGRES-1'", true),
        ("\"pgres\"", false),
        ("!\"kafka\"", true),
        // Patterns.
        (r"~postgres-\d+", true),
        (r"~^data/", true),
        (r"~POSTGRES", false),
        ("~\"1 term\"", true),
        ("!~worker-[13]", true),
        ("~kafka|postgres", true),
        // Fields.
        ("node=worker-2", true),
        ("node=WORKER-2", true),
        ("node=worker", false),
        ("node=worker-*", true),
        ("node=worker-1,worker-7", true),
        ("node!=worker-2", false),
        ("node!=worker-1,worker-3", true),
        ("wanted-on=worker-7", true),
        ("ns=data", true),
        ("node~^worker-[27]$", true),
        ("node~^worker$", false),
        ("namespace=\"data\"", true),
        ("namespace=\"\"", false),
        ("namespace!=\"\"", true),
        ("capacity=\"\"", true),
        // Amounts.
        ("restarts>3", true),
        ("restarts>4", false),
        ("restarts>=4 restarts<=4", true),
        ("restarts=4", true),
        ("restarts=1,4", true),
        ("restarts!=4", false),
        ("age<10m", true),
        ("age>5m", true),
        ("age=5m", true),
        ("age=5m30s", true),
        ("age=6m", false),
        ("age>1h30m", false),
        // What is not there is neither more nor less.
        ("capacity>1Gi", false),
        ("capacity<1Gi", false),
        ("!capacity>1Gi", true),
        // Labels.
        ("label:app.kubernetes.io/name", true),
        ("label:app.kubernetes.io/name=postgres", true),
        ("label:app.kubernetes.io/name!=postgres", false),
        ("label:app.kubernetes.io/name~^post", true),
        ("label:app", false),
        ("!label:app", true),
        ("label:app!=web", true),
        // All of them, any of them.
        ("postgres node=worker-2 restarts>3", true),
        ("postgres node=worker-3", false),
        ("kafka | postgres", true),
        ("kafka|postgres", true),
        ("kafka | node=worker-9", false),
        ("node=worker-9 postgres | age<1h", true),
        ("postgres |", true),
        ("| postgres", true),
        ("|", true),
    ] {
        assert_eq!(keeps(filter), is_kept, "{filter}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_a_way_out() {
    let told: Vec<String> = [
        "web nod=worker-2",
        "web colour=red",
        "overdeu>5m",
        "age>5",
        "age>soon",
        "age=",
        "restarts>many | web",
        "restarts=1,,2",
        "capacity>1GB",
        "node=",
        "node=a,",
        "node>worker-1",
        "age~5",
        "\"web",
        "node='web",
        "web ~(a",
        "node~[",
        "~",
        "!",
        "a ! b",
        "!|a",
        "label:",
        "label:=web",
        "label:app>3",
        "=web",
        "über=1",
        "~a{1000}{1000}{1000}",
    ]
    .iter()
    .map(|text| {
        let error = Filter::parse(text, &FIELDS).expect_err(text);
        let before = text[..error.range.start].chars().count();
        let carets = text[error.range.clone()].chars().count().max(1);
        format!("{text}\n{}{} {error}\n", " ".repeat(before), "^".repeat(carets))
    })
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_slip_keeps_what_was_read_before_the_word() {
    let mut typed = Typed::default();
    let type_on = |typed: &mut Typed, text: &str| {
        let so_far = typed.text().to_owned();
        for (at, c) in text.char_indices() {
            typed.set(format!("{so_far}{}", &text[..at + c.len_utf8()]), &FIELDS);
        }
    };
    type_on(&mut typed, "node=worker-2 zzz=");
    assert!(typed.error().is_some());
    assert!(typed.filter().unwrap().keeps(&Row), "`zzz` was a word only on its way to a field");
    typed.set("restarts>9", &FIELDS);
    typed.keep();
    typed.set("restarts>", &FIELDS);
    assert!(!typed.filter().unwrap().keeps(&Row), "what was kept holds while it is changed");
    typed.set("", &FIELDS);
    assert!(typed.error().is_none() && typed.filter().is_none());
}

#[test]
fn the_name_of_a_field_is_completed_as_far_as_it_is_clear() {
    let mut typed = Typed::default();
    for (text, completed) in [
        ("no", "node="),
        ("web !re", "web !restarts="),
        ("a|la", "a|label:"),
        ("n", "n"),
        ("x", "x"),
        ("node=w", "node=w"),
    ] {
        typed.set(text, &FIELDS);
        typed.complete(&FIELDS);
        assert_eq!(typed.text(), completed, "{text}");
    }
}

/// Text made of what the language is made of, so that more of it is reached than by any letters.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "node",
        "age",
        "restarts",
        "capacity",
        "label:",
        "label:app",
        "web",
        "=",
        "!=",
        "<",
        ">",
        ">=",
        "~",
        "!",
        "|",
        ",",
        "\"",
        "'",
        " ",
        "5m",
        "10Gi",
        "3",
        "*",
        "(",
        "[a-",
        "ü",
        "ß",
        "\u{a0}",
        "\\",
        "",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_within_itself(text in prop_oneof![pieces(), ".*"]) {
        match Filter::parse(&text, &FIELDS) {
            Ok(Some(mut filter)) => { filter.keeps(&Row); }
            Ok(None) => {}
            Err(error) => {
                prop_assert!(error.range.start <= error.range.end);
                prop_assert!(text.get(error.range.clone()).is_some(), "{:?} of {:?}", error.range, text);
            }
        }
    }

    #[test]
    fn the_contrary_keeps_what_the_filter_leaves_out(text in "[a-z]{1,4}|node=[a-z]{1,3}|restarts>[0-9]|label:[a-z]{1,3}") {
        prop_assert_ne!(keeps(&text), keeps(&format!("!{text}")));
    }

    #[test]
    fn alternatives_and_terms_are_or_and_and(one in "[a-z]{1,3}", other in "[a-z]{1,3}") {
        prop_assert_eq!(keeps(&format!("{one} | {other}")), keeps(&one) || keeps(&other));
        prop_assert_eq!(keeps(&format!("{one} {other}")), keeps(&one) && keeps(&other));
    }

    #[test]
    fn completing_never_fails(text in prop_oneof![pieces(), ".*"]) {
        let mut typed = Typed::default();
        typed.set(text, &FIELDS);
        typed.complete(&FIELDS);
    }
}
