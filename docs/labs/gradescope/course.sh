# What run_autograder and setup.sh have to know: the lab, and when students see its checks (visible, after_due_date,
# after_published, hidden).
LAB=3
VISIBILITY=visible
