// chapter 02
int main(void) { return 0; }
