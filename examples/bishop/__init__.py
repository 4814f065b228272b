"""Bishop's inverse problem: a mixture density network where least squares has nothing to say."""
