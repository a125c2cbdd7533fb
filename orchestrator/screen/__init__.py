"""What people see: words and tables that fit 80 columns. It shows the objects that --json prints, and computes nothing.

Never imported before somebody is to see something: rich takes its time.
"""
