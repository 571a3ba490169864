"""The labs' grader: tools/grade is its command. It looks at a student's kernel from outside and believes nothing it prints."""
