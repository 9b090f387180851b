"""Interview practice: what an interviewer listens for, and what a learner has shown."""
