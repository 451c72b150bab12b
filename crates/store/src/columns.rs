//! The columns of a noun, in the one order in which they are selected and read.

/// A noun's table and the columns that are read of it. The first one says which row it is.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    pub(crate) table: &'static str,
    pub(crate) names: &'static str,
}

/// A statement that reads, with the lists that its rows are read by. [`select!`](crate::select) makes it.
#[derive(Debug, Clone, Copy)]
pub struct Select {
    /// Its text.
    pub sql: &'static str,
    /// Of which columns each row is made.
    pub lists: &'static [Columns],
}

/// `select!(CONSENT as "c.", GRANT as "g."; "FROM consents c …")`: the statement that reads these lists, made when the
/// program is compiled. A list that is alone needs no alias.
#[macro_export]
macro_rules! select {
    ($($list:ident $(as $alias:literal)?),+; $rest:literal) => {{
        const PARTS: &[(&str, $crate::tables::Columns)] = &[$((concat!($($alias)?), $list)),+];
        const OCTETS: [u8; $crate::tables::length(PARTS, $rest)] = $crate::tables::write(PARTS, $rest);
        const SQL: &str = match str::from_utf8(&OCTETS) {
            Ok(sql) => sql,
            Err(_) => panic!("texts side by side are text"),
        };
        $crate::tables::Select { sql: SQL, lists: &[$($list),+] }
    }};
}
pub(crate) use select;

impl Columns {
    /// `names` are separated by a comma and a blank.
    pub const fn of(table: &'static str, names: &'static str) -> Self {
        Self { table, names }
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> usize {
        let names = self.names.as_bytes();
        let (mut count, mut at) = (1, 0);
        while at < names.len() {
            if names[at] == b',' {
                count += 1;
            }
            at += 1;
        }
        count
    }

    pub(crate) fn name(&self, place: usize) -> &'static str {
        self.names.split(", ").nth(place).unwrap_or_default()
    }
}

/// How long the statement is.
pub const fn length(parts: &[(&str, Columns)], rest: &str) -> usize {
    let mut length = "SELECT ".len() + " ".len() + rest.len();
    let mut part = 0;
    while part < parts.len() {
        let (alias, list) = parts[part];
        length += list.names.len() + list.count() * alias.len();
        if part > 0 {
            length += ", ".len();
        }
        part += 1;
    }
    length
}

/// The statement, which is `LENGTH` long.
pub const fn write<const LENGTH: usize>(parts: &[(&str, Columns)], rest: &str) -> [u8; LENGTH] {
    let mut octets = [0; LENGTH];
    let mut at = put(&mut octets, 0, "SELECT ");
    let mut part = 0;
    while part < parts.len() {
        let (alias, list) = parts[part];
        if part > 0 {
            at = put(&mut octets, at, ", ");
        }
        at = put(&mut octets, at, alias);
        let names = list.names.as_bytes();
        let mut next = 0;
        while next < names.len() {
            octets[at] = names[next];
            at += 1;
            if names[next] == b' ' {
                at = put(&mut octets, at, alias);
            }
            next += 1;
        }
        part += 1;
    }
    at = put(&mut octets, at, " ");
    put(&mut octets, at, rest);
    octets
}

const fn put(octets: &mut [u8], at: usize, text: &str) -> usize {
    let text = text.as_bytes();
    let mut next = 0;
    while next < text.len() {
        octets[at + next] = text[next];
        next += 1;
    }
    at + next
}

#[cfg(test)]
mod tests {
    use super::Columns;

    const BIRD: Columns = Columns::of("birds", "id, name");
    const NEST: Columns = Columns::of("nests", "tree");

    #[test]
    fn lists_make_statements() {
        assert_eq!(
            select!(BIRD; "FROM birds WHERE id = $1").sql,
            "SELECT id, name FROM birds \
         WHERE id = $1"
        );
        let both = select!(BIRD as "b.", NEST as "n."; "FROM birds b, nests n");
        assert_eq!(both.sql, "SELECT b.id, b.name, n.tree FROM birds b, nests n");
        assert_eq!(both.lists.len(), 2);
    }
}
