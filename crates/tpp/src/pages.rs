//! The pages of a list, read to its end: what was read in part is not taken for all of it.

use std::collections::HashSet;

use crate::Error;

/// Pages of a list that are read at most.
const MOST: usize = 1000;

/// The pages of a list that were read.
#[derive(Debug)]
pub(crate) struct Pages(HashSet<String>);

impl Pages {
    /// A list that begins at a link.
    pub(crate) fn from(link: &str) -> Self {
        Self(HashSet::from([link.to_owned()]))
    }

    /// Goes on to the page at a link.
    ///
    /// # Errors
    /// [`Error::Answer`] for a page that was read before, and if there are too many of them.
    pub(crate) fn turn_to(&mut self, link: &str) -> Result<(), Error> {
        let wrong = |reason: String| {
            // A query may hold what is secret.
            let url = link.split('?').next().unwrap_or_default().to_owned();
            Err(Error::Answer { url, reason })
        };
        if self.0.len() >= MOST {
            return wrong(format!("it has more than {MOST} pages; ask for fewer days"));
        }
        if !self.0.insert(link.to_owned()) {
            return wrong("its pages lead in a circle, so that its end is not known".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_or_that_is_said() {
        let page = |number: usize| format!("https://bank.example/list?page={number}");
        let mut circle = Pages::from(&page(0));
        circle.turn_to(&page(1)).unwrap();
        circle.turn_to(&page(2)).unwrap();
        for before in 0..3 {
            let error = circle.turn_to(&page(before)).unwrap_err().to_string();
            assert!(error.contains("https://bank.example/list cannot be read: its pages lead"), "{error}");
        }
        let mut long = Pages::from(&page(0));
        (1..MOST).for_each(|number| long.turn_to(&page(number)).unwrap());
        let error = long.turn_to(&page(MOST)).unwrap_err().to_string();
        assert!(error.contains("it has more than 1000 pages; ask for fewer days"), "{error}");
    }
}
