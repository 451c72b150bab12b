//! Every word of the bank's pages, a file for each language. Which words there are stands in
//! [`crate::language`], [`crate::customer_texts`] and [`crate::payment_texts`].

pub(crate) mod dutch;
pub(crate) mod english;
pub(crate) mod french;
pub(crate) mod german;
