// chapter 04
int main(void) { return 0; }
