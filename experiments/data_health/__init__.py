"""How fresh and whole the data are, how large they grow, and what to do where that is not well.

What is shown was told by edges, collector and caretaker, or was counted by a task now and then: to show it counts no
rows.
"""
