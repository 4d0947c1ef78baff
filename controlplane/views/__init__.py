"""Pages of accounts, tokens and the audit trail, and what the pages of all apps share."""
