// chapter 05
int main(void) { return 0; }
