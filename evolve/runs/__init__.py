"""Opens, resumes, judges, replays and repairs runs."""
