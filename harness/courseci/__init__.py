"""A student's repository, checked at each push: what GitHub and GitLab show of a check."""
