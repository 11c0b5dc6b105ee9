//! Parses a pattern at compile time.

/// The maximum number of characters and classes in a pattern, with repetitions written out.
pub(super) const MAX: usize = 128;

/// A part of a pattern: the positions at which it can begin and end, and whether it can be empty.
#[derive(Clone, Copy)]
pub(super) struct Fragment {
    pub(super) first: u128,
    pub(super) last: u128,
    pub(super) empty: bool,
}

/// Builds the Glushkov automaton of a pattern while parsing it.
pub(super) struct Parser {
    text: &'static [u8],
    at: usize,
    count: usize,
    pub(super) classes: [u128; 128],
    pub(super) follow: [u128; MAX],
}

impl Parser {
    pub(super) const fn new(text: &'static [u8]) -> Self {
        Self { text, at: 0, count: 0, classes: [0; 128], follow: [0; MAX] }
    }

    /// Returns whether the whole pattern was parsed.
    pub(super) const fn is_done(&self) -> bool {
        self.at == self.text.len()
    }

    const fn peek(&self) -> u8 {
        if self.at < self.text.len() { self.text[self.at] } else { 0 }
    }

    /// Parses alternatives, up to the end or a closing parenthesis.
    pub(super) const fn choice(&mut self) -> Fragment {
        let mut whole = self.sequence();
        while self.peek() == b'|' {
            self.at += 1;
            let other = self.sequence();
            whole = Fragment {
                first: whole.first | other.first,
                last: whole.last | other.last,
                empty: whole.empty || other.empty,
            };
        }
        whole
    }

    const fn sequence(&mut self) -> Fragment {
        let mut whole = Fragment { first: 0, last: 0, empty: true };
        while self.at < self.text.len() && self.peek() != b'|' && self.peek() != b')' {
            let next = self.repeated();
            whole = self.join(whole, next);
        }
        whole
    }

    const fn join(&mut self, one: Fragment, two: Fragment) -> Fragment {
        self.link(one.last, two.first);
        Fragment {
            first: if one.empty { one.first | two.first } else { one.first },
            last: if two.empty { one.last | two.last } else { two.last },
            empty: one.empty && two.empty,
        }
    }

    const fn link(&mut self, mut ends: u128, starts: u128) {
        while ends != 0 {
            self.follow[ends.trailing_zeros() as usize] |= starts;
            ends &= ends - 1;
        }
    }

    const fn repeated(&mut self) -> Fragment {
        let start = self.at;
        let mut one = self.atom();
        match self.peek() {
            b'*' => {
                self.at += 1;
                self.link(one.last, one.first);
                one.empty = true;
                one
            }
            b'+' => {
                self.at += 1;
                self.link(one.last, one.first);
                one
            }
            b'?' => {
                self.at += 1;
                one.empty = true;
                one
            }
            b'{' => self.counted(start, one),
            _ => one,
        }
    }

    /// Parses `{n}`, `{n,m}` or `{n,}`, and repeats the atom by parsing it again.
    const fn counted(&mut self, start: usize, one: Fragment) -> Fragment {
        self.at += 1;
        let min = self.number();
        let mut max = min;
        let mut open = false;
        if self.peek() == b',' {
            self.at += 1;
            open = self.peek() == b'}';
            max = if open { min } else { self.number() };
        }
        assert!(self.peek() == b'}', "pattern: expected a repetition as in `{{3}}`, `{{1,3}}` or `{{2,}}`");
        self.at += 1;
        let end = self.at;
        assert!(max >= min, "pattern: the maximum of a repetition is less than its minimum");
        assert!(max > 0 || open, "pattern: a repetition with a maximum of 0 matches nothing; remove it");
        if open && max == 0 {
            self.link(one.last, one.first);
            return Fragment { empty: true, ..one };
        }
        let mut whole = Fragment { empty: one.empty || min == 0, ..one };
        let mut last = one;
        let mut done = 1;
        while done < max {
            self.at = start;
            last = self.atom();
            let optional = Fragment { empty: last.empty || done >= min, ..last };
            whole = self.join(whole, optional);
            done += 1;
        }
        if open {
            self.link(last.last, last.first);
        }
        self.at = end;
        whole
    }

    const fn number(&mut self) -> usize {
        let start = self.at;
        let mut number = 0;
        while self.peek().is_ascii_digit() && self.at - start < 3 {
            number = number * 10 + (self.peek() - b'0') as usize;
            self.at += 1;
        }
        assert!(self.at > start, "pattern: expected a repetition as in `{{3}}`, `{{1,3}}` or `{{2,}}`");
        number
    }

    const fn atom(&mut self) -> Fragment {
        let character = self.peek();
        match character {
            b'(' => {
                self.at += 1;
                if self.peek() == b'?' {
                    self.at += 1;
                    assert!(self.peek() == b':', "pattern: expected a group as in `(...)` or `(?:...)`");
                    self.at += 1;
                }
                let inside = self.choice();
                assert!(self.peek() == b')', "pattern: unmatched `(`");
                self.at += 1;
                inside
            }
            b'[' => self.class(),
            b'.' => panic!("pattern: `.` matches nearly anything; name the characters, as in `[a-z0-9]`"),
            b'^' | b'$' => panic!("pattern: `^` and `$` are redundant, since the whole text must match"),
            b'*' | b'+' | b'?' | b'{' => {
                panic!("pattern: nothing to repeat; write `\\` before a literal `*`, `+`, `?` or `{{`")
            }
            b'}' | b']' => panic!("pattern: unmatched bracket; write `\\` before a literal one"),
            _ => {
                let character = self.literal(false);
                let position = self.position();
                self.admit(character, character, position);
                Self::single(position)
            }
        }
    }

    const fn class(&mut self) -> Fragment {
        self.at += 1;
        assert!(self.peek() != b'^', "pattern: `[^...]` matches nearly anything; name the characters");
        let position = self.position();
        let mut any = false;
        while self.peek() != b']' {
            assert!(self.at < self.text.len(), "pattern: unmatched `[`");
            let from = self.literal(true);
            let mut to = from;
            if self.peek() == b'-' && self.at + 1 < self.text.len() && self.text[self.at + 1] != b']' {
                self.at += 1;
                to = self.literal(true);
            }
            assert!(from <= to, "pattern: a range ends before it starts");
            self.admit(from, to, position);
            any = true;
        }
        assert!(any, "pattern: a class is empty; name at least one character");
        self.at += 1;
        Self::single(position)
    }

    /// Parses one literal character, escaped or not.
    const fn literal(&mut self, in_class: bool) -> u8 {
        let mut character = self.peek();
        assert!(character >= b' ' && character <= b'~', "pattern: only printable ASCII can be matched");
        self.at += 1;
        if character == b'\\' {
            character = self.peek();
            let known = matches!(
                character,
                b'\\'
                    | b'.'
                    | b'*'
                    | b'+'
                    | b'?'
                    | b'('
                    | b')'
                    | b'['
                    | b']'
                    | b'{'
                    | b'}'
                    | b'|'
                    | b'/'
                    | b'^'
                    | b'$'
            );
            assert!(
                known || in_class && character == b'-',
                "pattern: `\\` can only escape a character with a special meaning"
            );
            self.at += 1;
        } else {
            assert!(character != b'[' || !in_class, "pattern: write `\\` before a literal bracket");
        }
        character
    }

    const fn position(&mut self) -> usize {
        assert!(
            self.count < MAX,
            "pattern: more than 128 characters and classes, with repetitions written out"
        );
        self.count += 1;
        self.count - 1
    }

    const fn admit(&mut self, from: u8, to: u8, position: usize) {
        let mut character = from;
        while character <= to {
            self.classes[character as usize] |= 1 << position;
            character += 1;
        }
    }

    const fn single(position: usize) -> Fragment {
        Fragment { first: 1 << position, last: 1 << position, empty: false }
    }
}
