//! A source file as the rules see it: what it is called, what it names, which of it is test code.
//!
//! It reads tokens, not syntax: paths inside macros count like any other, and a file that does not compile yet is
//! read all the same. Which paths are allowed is not decided here.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// A path with its first word resolved: `crate`, `std`, or the name of another crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub words: Vec<String>,
    pub line: usize,
}

#[derive(Debug)]
pub struct Source {
    /// Below the root of the project, with slashes.
    pub path: String,
    /// `app`, `view` for `src/app/view.rs`; empty for the roots and for files outside `src`.
    pub module: Vec<String>,
    pub has_opening: bool,
    /// Lines that are not in items for tests only.
    pub lines: usize,
    /// Everything named by the code that is not for tests only.
    pub named: Vec<Named>,
    /// Calls of methods and macros outside tests, by their last word.
    pub calls: Vec<Named>,
    /// Modules and types, those of tests as well.
    pub declared: Vec<Named>,
    pub functions: BTreeSet<String>,
    /// Modules in other files that are for tests only.
    test_modules: Vec<Vec<String>>,
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        let module = module(&path);
        Self::parse(path, module, &text)
    }

    pub fn parse(path: String, module: Vec<String>, text: &str) -> Self {
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut reader = Reader { within: module.clone(), ..Reader::default() };
        reader.read(tokens, false);
        let aliases = reader.aliases();
        let named = reader
            .uses
            .into_iter()
            .map(|used| used.path)
            .chain(reader.paths.into_iter().filter_map(|path| expand(path, &aliases)))
            .collect();
        Self {
            path,
            module,
            has_opening: text.starts_with("//!"),
            lines: text.lines().count() - reader.test_lines,
            named,
            calls: reader.calls,
            declared: reader.declared,
            functions: reader.functions,
            test_modules: reader.test_modules,
        }
    }
}

/// A place in a file, as editors understand it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    path: String,
    line: usize,
}

impl Source {
    pub fn at(&self, line: usize) -> Place {
        Place { path: self.path.clone(), line }
    }

    pub fn is_at_root(&self) -> bool {
        self.module.is_empty()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.line)
    }
}

/// All of the crate's own sources; what is for tests only is left out.
pub fn of_crate(root: &Path) -> Vec<Source> {
    let all: Vec<Source> = files(&root.join("src")).iter().map(|path| Source::read(root, path)).collect();
    let tests: Vec<Vec<String>> = all.iter().flat_map(|source| source.test_modules.clone()).collect();
    let is_test = |source: &Source| tests.iter().any(|test| source.module.starts_with(test));
    all.into_iter().filter(|source| !is_test(source)).collect()
}

/// Every Rust file of the project, tests included.
pub fn of_project(root: &Path) -> Vec<Source> {
    let folders = ["src", "tests", "benches"];
    let paths = folders.iter().flat_map(|folder| files(&root.join(folder)));
    paths.map(|path| Source::read(root, &path)).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return files };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn module(path: &str) -> Vec<String> {
    let below = path.strip_prefix("src/").unwrap_or_default().trim_end_matches(".rs");
    let is_root = matches!(below, "" | "lib" | "main");
    if is_root { Vec::new() } else { below.split('/').map(str::to_owned).collect() }
}

/// A path that begins with an imported name, from its true beginning; nothing for names of the file itself.
fn expand(mut path: Named, aliases: &BTreeMap<String, Vec<String>>) -> Option<Named> {
    let first = path.words.first()?;
    if let Some(full) = aliases.get(first) {
        path.words.splice(..1, full.iter().cloned());
    }
    Some(path)
}

#[derive(Debug)]
struct Use {
    path: Named,
    /// What the name is here: the last word, or what follows `as`.
    alias: String,
}

#[derive(Debug, Default)]
struct Reader {
    /// The module that is being read.
    within: Vec<String>,
    uses: Vec<Use>,
    paths: Vec<Named>,
    calls: Vec<Named>,
    declared: Vec<Named>,
    functions: BTreeSet<String>,
    test_modules: Vec<Vec<String>>,
    test_lines: usize,
}

impl Reader {
    fn aliases(&self) -> BTreeMap<String, Vec<String>> {
        self.uses.iter().map(|used| (used.alias.clone(), used.path.words.clone())).collect()
    }

    fn read(&mut self, stream: TokenStream, is_test: bool) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = match &tokens[at] {
                TokenTree::Punct(sign) if sign.as_char() == '#' && is_for_tests(tokens.get(at + 1)) => {
                    self.read_test_item(&tokens, at)
                }
                TokenTree::Ident(word) => self.read_word(&tokens, at, &word.to_string(), is_test),
                TokenTree::Group(group) => {
                    self.read(group.stream(), is_test);
                    at + 1
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => at + 1,
            };
        }
    }

    fn read_word(&mut self, tokens: &[TokenTree], at: usize, word: &str, is_test: bool) -> usize {
        match word {
            "use" => {
                let end = end_of_statement(tokens, at);
                if !is_test {
                    self.read_use(&tokens[at + 1..end], &[]);
                }
                end
            }
            "mod" | "struct" | "enum" | "trait" | "type" | "union" => {
                self.read_declaration(tokens, at, is_test)
            }
            "fn" => {
                if let Some(TokenTree::Ident(name)) = tokens.get(at + 1) {
                    self.functions.insert(name.to_string());
                }
                at + 2
            }
            _ => {
                let (path, end) = path(tokens, at);
                if !is_test {
                    self.keep(&path, &tokens[..at], tokens.get(end));
                }
                end
            }
        }
    }

    fn keep(&mut self, path: &Named, before: &[TokenTree], after: Option<&TokenTree>) {
        let is_method = matches!(before.last(), Some(TokenTree::Punct(sign)) if sign.as_char() == '.');
        let is_called = match after {
            Some(TokenTree::Punct(sign)) => sign.as_char() == '!',
            Some(TokenTree::Group(group)) => is_method && group.delimiter() == Delimiter::Parenthesis,
            Some(TokenTree::Ident(_) | TokenTree::Literal(_)) | None => false,
        };
        if is_called {
            self.calls.push(Named { words: path.words[path.words.len() - 1..].to_vec(), line: path.line });
        }
        if path.words.len() > 1 && !is_method {
            let words = self.absolute(&path.words);
            self.paths.push(Named { words, line: path.line });
        }
    }

    fn read_declaration(&mut self, tokens: &[TokenTree], at: usize, is_test: bool) -> usize {
        let Some(TokenTree::Ident(name)) = tokens.get(at + 1) else { return at + 1 };
        let is_module = matches!(&tokens[at], TokenTree::Ident(word) if word == "mod");
        self.declared.push(Named { words: vec![name.to_string()], line: line(name) });
        let body = tokens.get(at + 2);
        if is_module && let Some(TokenTree::Group(group)) = body {
            self.within.push(name.to_string());
            self.read(group.stream(), is_test);
            self.within.pop();
            return at + 3;
        }
        at + 2
    }

    /// An item behind `#[cfg(test)]`, with its attributes.
    fn read_test_item(&mut self, tokens: &[TokenTree], from: usize) -> usize {
        let mut at = from;
        while matches!(&tokens.get(at), Some(TokenTree::Punct(sign)) if sign.as_char() == '#') {
            at += 2;
        }
        let is_statement = tokens[at..].iter().find_map(|token| match token {
            TokenTree::Ident(word) if word == "use" || word == "const" || word == "static" => Some(true),
            TokenTree::Ident(word) if word == "mod" || word == "fn" || word == "impl" => Some(false),
            TokenTree::Ident(_) | TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
        });
        let end =
            if is_statement == Some(true) { end_of_statement(tokens, at) } else { end_of_item(tokens, at) };
        if let [.., TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Punct(_)] = &tokens[at..=end]
            && word == "mod"
        {
            self.test_modules.push([self.within.as_slice(), &[name.to_string()]].concat());
        }
        self.read(tokens[at..=end].iter().cloned().collect(), true);
        let (first, last) = (tokens[from].span().start().line, tokens[end].span().end().line);
        self.test_lines += last + 1 - first;
        end + 1
    }

    /// What stands between `use` and `;`, after what stands before its braces.
    fn read_use(&mut self, tokens: &[TokenTree], before: &[String]) {
        for tree in tokens.split(|token| matches!(token, TokenTree::Punct(sign) if sign.as_char() == ',')) {
            let mut words = before.to_vec();
            let mut alias = None;
            let mut at = 0;
            while let Some(token) = tree.get(at) {
                match token {
                    TokenTree::Ident(word) if word == "as" => {
                        alias = tree.get(at + 1).map(ToString::to_string);
                        at += 1;
                    }
                    TokenTree::Ident(word) => words.push(word.to_string()),
                    TokenTree::Group(group) => {
                        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                        self.read_use(&inner, &words);
                        words.clear();
                    }
                    TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                }
                at += 1;
            }
            // `a::{self}` is `a`.
            if words.len() > 1 && words.last().is_some_and(|word| word == "self") {
                words.pop();
            }
            let (Some(first), Some(last)) = (tree.first(), words.last()) else { continue };
            let alias = alias.unwrap_or_else(|| last.clone());
            let path = Named { words: self.absolute(&words), line: first.span().start().line };
            self.uses.push(Use { path, alias });
        }
    }

    /// From the crate's root where it begins with `self` or `super`.
    fn absolute(&self, words: &[String]) -> Vec<String> {
        let mut within = self.within.clone();
        let mut rest = words;
        while let [first, more @ ..] = rest {
            match first.as_str() {
                "self" => {}
                "super" => {
                    within.pop();
                }
                _ => break,
            }
            rest = more;
        }
        if rest.len() == words.len() {
            return words.to_vec();
        }
        let mut absolute = vec!["crate".to_owned()];
        absolute.extend(within);
        absolute.extend(rest.iter().cloned());
        absolute
    }
}

fn line(name: &Ident) -> usize {
    name.span().start().line
}

fn is_sign(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(sign)) if sign.as_char() == wanted)
}

/// The path that begins here, and where it ends.
fn path(tokens: &[TokenTree], from: usize) -> (Named, usize) {
    let mut words = vec![tokens[from].to_string()];
    let mut at = from + 1;
    while is_sign(tokens.get(at), ':') && is_sign(tokens.get(at + 1), ':') {
        let Some(TokenTree::Ident(word)) = tokens.get(at + 2) else { break };
        words.push(word.to_string());
        at += 3;
    }
    (Named { words, line: tokens[from].span().start().line }, at)
}

fn end_of_statement(tokens: &[TokenTree], from: usize) -> usize {
    (from..tokens.len()).find(|at| is_sign(tokens.get(*at), ';')).unwrap_or(tokens.len() - 1)
}

fn end_of_item(tokens: &[TokenTree], from: usize) -> usize {
    let is_body = |token: &TokenTree| {
        matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
            || is_sign(Some(token), ';')
    };
    (from..tokens.len()).find(|at| is_body(&tokens[*at])).unwrap_or(tokens.len() - 1)
}

/// Whether an attribute is `cfg(test)`, alone or among more that must hold.
fn is_for_tests(attribute: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(attribute)) = attribute else { return false };
    let mut tokens = attribute.stream().into_iter();
    let is_cfg = matches!(tokens.next(), Some(TokenTree::Ident(word)) if word == "cfg");
    is_cfg && matches!(tokens.next(), Some(TokenTree::Group(group)) if requires_test(&group))
}

fn requires_test(group: &Group) -> bool {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(word) if word == "test" => true,
        TokenTree::Ident(word) if word == "all" => {
            matches!(tokens.get(at + 1), Some(TokenTree::Group(group)) if requires_test(group))
        }
        TokenTree::Ident(_) | TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
